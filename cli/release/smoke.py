"""A deployment tried from outside, for nothing: each check goes through other parts of it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from cli.client.api import Api
from cli.client.errors import CommandError

_USER = "smoke-test"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    found: str


def smoke(api: Api) -> list[Check]:
    """All checks, whatever fails."""
    return [
        _try("GET /models", lambda: f"{len(api.models())} models"),
        _refusal(
            "POST /generate-media with a wrong parameter", "InvalidParameters", lambda: _order(api)
        ),
        _try("GET /jobs (PostgreSQL)", lambda: _jobs(api)),
        _refusal(
            "GET /status of no job (Redis, DynamoDB, PostgreSQL)",
            "JobNotFound",
            lambda: api.status(_no_job()),
        ),
    ]


def _jobs(api: Api) -> str:
    return f"{len(api.page_of_jobs(userId=api.target.user, limit=1)['jobs'])} of yours"


def _order(api: Api) -> object:
    """Refused by the API workflow: nothing is recorded and nothing paid for."""
    model = api.models()[0]["modelId"]
    body = {"modelId": model, "parameters": {"vsl_smoke_test": True}}
    user = {"userId": _USER}
    if "Authorization" in api.target.headers:
        user = api.as_user()
    elif api.target.user is None:
        try:
            return api.generate(body, str(uuid.uuid4()))
        except CommandError as error:
            if error.code != "InvalidRequest":  # an operator's key, which names no user
                raise
    return api.generate({**body, **user}, str(uuid.uuid4()))


def _no_job() -> str:
    """An id of the right kind that no job has: its time is the year 1970."""
    return f"00000000-0000-7{uuid.uuid4().hex[:3]}-8000-{uuid.uuid4().hex[:12]}"


def _try(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, passed=True, found=check())
    except (CommandError, KeyError, IndexError) as error:
        return Check(name, passed=False, found=str(error))


def _refusal(name: str, code: str, check: Callable[[], object]) -> Check:
    """It has to be refused with this code, which only the right component gives."""
    try:
        check()
    except CommandError as error:
        return Check(name, passed=error.code == code, found=f"{error.code}: {error.message}"[:160])
    except (KeyError, IndexError) as error:
        return Check(name, passed=False, found=repr(error))
    return Check(name, passed=False, found=f"accepted, and {code} was expected")
