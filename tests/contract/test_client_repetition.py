"""When both clients repeat a request, and when they do not."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.scripted_api import Answer, problem, scripted_api
from tests.support.typescript import built_scenario, needs_typescript
from vsl_client import Client, VslError

ACCEPTED = Answer(202, {"jobId": "j", "status": "pending"})


@dataclass(frozen=True)
class Outcome:
    """The job's id, or the error's code and retryAfter."""

    job_id: str | None = None
    code: str | None = None
    retry_after: float | None = None


type Submit = Callable[[str, float], Outcome]


def with_python(url: str, patience: float) -> Outcome:
    with Client(url, user_id="me", api_key="k", patience=patience) as client:
        try:
            return Outcome(client.submit("m", {"prompt": "x"})["jobId"])
        except VslError as error:
            return Outcome(None, error.code, error.retry_after)


def with_typescript(url: str, patience: float) -> Outcome:
    command = ["node", str(built_scenario()), url, "submit", str(patience)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return Outcome(answer.get("jobId"), answer.get("code"), answer.get("retryAfter"))


def remove_with_python(url: str) -> str | None:
    with Client(url, patience=300) as client:
        try:
            client.delete("j")
        except VslError as error:
            return error.code
    return None


def remove_with_typescript(url: str) -> str | None:
    command = ["node", str(built_scenario()), url, "remove"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code: str | None = json.loads(done.stdout).get("code")
    return code


@pytest.fixture(
    params=[
        "python",
        pytest.param("typescript", marks=[needs_typescript, pytest.mark.thorough]),
    ]
)
def submit(request: pytest.FixtureRequest) -> Submit:
    return with_python if request.param == "python" else with_typescript


@pytest.mark.parametrize(
    "first",
    [
        Answer(0),
        problem(409, "RequestInProgress", retryAfter=1),
        problem(429, "Throttled", retryAfter=1),
        problem(500, "InternalError"),
        problem(503, "Overloaded", retryAfter=1),
        Answer(502),
    ],
    ids=["cut", "in progress", "throttled", "internal", "overloaded", "no problem"],
)
def test_the_same_request_is_sent_again(submit: Submit, first: Answer) -> None:
    with scripted_api(first, ACCEPTED) as api:
        assert submit(api.url, 300) == Outcome("j")
    once, again = api.asked
    assert once.headers["idempotency-key"] == again.headers["idempotency-key"] != ""
    assert once.headers["x-api-key"] == "k"


@pytest.mark.parametrize(
    "only",
    [
        problem(400, "InvalidRequest", fields=[{"field": "a", "message": "b"}]),
        problem(402, "BudgetExceeded"),
        problem(409, "JobNotEnded"),
        problem(503, "ModelFrozen", retryAfter=1),
    ],
    ids=lambda answer: str(answer.document["code"]),
)
def test_a_decision_is_final(submit: Submit, only: Answer) -> None:
    with scripted_api(only, ACCEPTED) as api:
        assert submit(api.url, 300).code == only.document["code"]
    assert len(api.asked) == 1


def test_a_longer_wait_than_the_patience_is_an_error_at_once(submit: Submit) -> None:
    with scripted_api(problem(429, "RateLimitExceeded", retryAfter=3600), ACCEPTED) as api:
        assert submit(api.url, 300) == Outcome(None, "RateLimitExceeded", 3600)
    assert len(api.asked) == 1


def test_nothing_listens(submit: Submit) -> None:
    with scripted_api() as api:
        pass
    assert submit(api.url, 0).code == "Unreachable"


def test_another_server_is_no_api(submit: Submit) -> None:
    with scripted_api(Answer(200, ["no object"])) as api:
        assert submit(api.url, 0).code == "NotVsl"


@pytest.mark.parametrize(
    "remove",
    [remove_with_python, pytest.param(remove_with_typescript, marks=needs_typescript)],
)
def test_a_job_that_is_gone_is_deleted_by_a_repetition_alone(
    remove: Callable[[str], str | None],
) -> None:
    gone = problem(404, "JobNotFound")
    with scripted_api(gone) as api:
        assert remove(api.url) == "JobNotFound"
    with scripted_api(Answer(0), gone) as api:
        assert remove(api.url) is None
    assert [asked.method for asked in api.asked] == ["DELETE", "DELETE"]
