"""Replicate's API below `/replicate/v1`: its routes, answers and problems.

API Gateway knows them as one proxy route: the protocol is described by those whose it is, and so our own
document, and the clients made from it, have nothing of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from vsl.domain.api.caller import Caller
from vsl.domain.api.prefer import preferred_wait
from vsl.domain.compat.replicate_problems import (
    InvalidField,
    ReplicateProblem,
    invalid,
    not_found,
    of_error,
)
from vsl.domain.compat.replicate_request import ROOT, parse_prediction_request
from vsl.domain.errors import VslError
from vsl.runtime.address import api_address
from vsl.runtime.body import json_body
from vsl.runtime.compat_caller import compat_user, gateway, idempotency_key, repetition
from vsl.runtime.handler import Context, Event, Response, answer, header, without_body
from vsl.runtime.multipart import form_of
from vsl.runtime.settings import settings
from vsl.runtime.time_left import seconds_left
from vsl.runtime.use_cases import callbacks, compat
from vsl.services.compat.create_prediction import Created, Submission

_PROBLEM = {"Content-Type": "application/problem+json"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `user_id` is whom it is about, `api` the protocol's address, `words` the variable parts
    of its path."""

    event: Event
    context: Context
    user_id: str
    api: str
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return f"{self.words['owner']}/{self.words['name']}"


def replicate_answer(event: Event, context: Context) -> Response:
    """Answer in the provider's words; refusals of ours leave as `refusal` has them."""
    try:
        action, words = _route(event)
        return action(Asked(event, context, compat_user(event), _address(event), words))
    except ReplicateProblem as problem:
        return _refused(problem)


def refusal(error: VslError) -> Response:
    """An error of ours in the provider's words."""
    return _refused(of_error(error))


def _create_by_version(asked: Asked) -> Response:
    body = json_body(asked.event)
    request = parse_prediction_request(body, by_version=True)
    models = compat.describe_models().of_version(request.version or "")
    return _create(asked, compat.create_prediction()(models, request, _submission(asked)))


def _create_by_name(asked: Asked) -> Response:
    models = compat.describe_models().of_name(asked.slug)
    request = parse_prediction_request(json_body(asked.event), by_version=False)
    return _create(asked, compat.create_prediction()(models, request, _submission(asked)))


def _create_by_deployment(asked: Asked) -> Response:
    models = compat.describe_models().of_deployment(asked.slug)
    request = parse_prediction_request(json_body(asked.event), by_version=False)
    return _create(asked, compat.create_prediction()(models, request, _submission(asked)))


def _list_predictions(asked: Asked) -> Response:
    query = asked.event.get("queryStringParameters") or {}
    return _private(compat.list_predictions()(query, asked.user_id, asked.api))


def _get_prediction(asked: Asked) -> Response:
    return _private(compat.get_prediction()(asked.words["id"], asked.user_id, asked.api))


def _cancel_prediction(asked: Asked) -> Response:
    wait_id = asked.context.aws_request_id
    canceled = compat.cancel_prediction()(asked.words["id"], asked.user_id, asked.api, wait_id)
    return _private(canceled)


def _list_models(_asked: Asked) -> Response:
    return answer(200, compat.describe_models().listed())


def _get_model(asked: Asked) -> Response:
    return answer(200, compat.describe_models().model(asked.slug))


def _list_versions(asked: Asked) -> Response:
    return answer(200, compat.describe_models().versions(asked.slug))


def _get_version(asked: Asked) -> Response:
    return answer(200, compat.describe_models().version(asked.slug, asked.words["id"]))


def _list_deployments(_asked: Asked) -> Response:
    return answer(200, compat.describe_models().deployments())


def _get_deployment(asked: Asked) -> Response:
    return answer(200, compat.describe_models().deployment(asked.slug))


def _get_secret(asked: Asked) -> Response:
    found = callbacks.get_webhook_secret()(Caller(named=asked.user_id))
    return _private({"key": found["secret"]})


def _create_file(asked: Asked) -> Response:
    files = form_of(asked.event).files.get("content", [])
    if len(files) != 1:
        raise invalid([InvalidField("required", "", "content is required, and is one file")])
    (file,) = files
    made = compat.keep_files().create(asked.user_id, file.content, file.name, asked.api)
    return answer(201, made, {"Cache-Control": "no-store"})


def _list_files(asked: Asked) -> Response:
    return _private(compat.keep_files().listed(asked.user_id, asked.api))


def _get_file(asked: Asked) -> Response:
    return _private(compat.keep_files().get(asked.user_id, asked.words["id"], asked.api))


def _delete_file(asked: Asked) -> Response:
    compat.keep_files().delete(asked.user_id, asked.words["id"])
    return without_body(204)


ROUTES: Mapping[str, Callable[[Asked], Response]] = {
    "POST /predictions": _create_by_version,
    "GET /predictions": _list_predictions,
    "GET /predictions/{id}": _get_prediction,
    "POST /predictions/{id}/cancel": _cancel_prediction,
    "GET /models": _list_models,
    "GET /models/{owner}/{name}": _get_model,
    "POST /models/{owner}/{name}/predictions": _create_by_name,
    "GET /models/{owner}/{name}/versions": _list_versions,
    "GET /models/{owner}/{name}/versions/{id}": _get_version,
    "GET /deployments": _list_deployments,
    "GET /deployments/{owner}/{name}": _get_deployment,
    "POST /deployments/{owner}/{name}/predictions": _create_by_deployment,
    "GET /webhooks/default/secret": _get_secret,
    "POST /files": _create_file,
    "GET /files": _list_files,
    "GET /files/{id}": _get_file,
    "DELETE /files/{id}": _delete_file,
}
"""By method and path below ROOT."""

_PATTERNS = {
    re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/ ]+)", route)): action
    for route, action in ROUTES.items()
}


def _route(event: Event) -> tuple[Callable[[Asked], Response], Mapping[str, str]]:
    """Raises ReplicateProblem (404) for what is not here."""
    path = (event.get("pathParameters") or {}).get("proxy", "").rstrip("/")
    asked = f"{event.get('httpMethod')} /{path}"
    for pattern, action in _PATTERNS.items():
        found = pattern.fullmatch(asked)
        if found:
            return action, found.groupdict()
    raise not_found()


def _address(event: Event) -> str:
    called = gateway(event)
    return api_address(called["id"], called["host"]) + ROOT


def _submission(asked: Asked) -> Submission:
    """Raises InvalidRequest for an Idempotency-Key that is none."""
    return Submission(
        user_id=asked.user_id,
        api=asked.api,
        files=(asked.api, *(f"{url.rstrip('/')}{ROOT}" for url in settings().api_urls)),
        gateway=gateway(asked.event),
        key=idempotency_key(asked.event),
        repetition=repetition(asked.event),
        wait=preferred_wait(header(asked.event, "Prefer")),
        wait_id=asked.context.aws_request_id,
        seconds_left=lambda: seconds_left(asked.event, asked.context),
    )


def _create(asked: Asked, created: Created) -> Response:
    prediction, headers = created.prediction, {"Cache-Control": "no-store"}
    headers["Location"] = prediction["urls"]["get"]
    preferred = preferred_wait(header(asked.event, "Prefer"))
    if created.waited:
        headers["Preference-Applied"] = f"wait={preferred}"
    unfinished = preferred > 0 and not created.ended
    return answer(HTTPStatus.ACCEPTED if unfinished else HTTPStatus.CREATED, prediction, headers)


def _private(body: object) -> Response:
    return answer(200, body, {"Cache-Control": "no-store"})


def _refused(problem: ReplicateProblem) -> Response:
    return answer(problem.status, problem.body(), {**problem.headers, **_PROBLEM})
