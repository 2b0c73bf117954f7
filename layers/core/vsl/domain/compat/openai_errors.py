"""An error of ours as clients of OpenAI's API read it: `{"error": {message, type, param, code}}`.

Statuses: https://platform.openai.com/docs/guides/error-codes. The official clients repeat a request after
408, 409, 429 and from 500 on, and mark the repetition; other clients repeat it without a mark. So a status
that is repeated is only answered where a repetition makes no second job: see `still_running`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vsl.domain.errors import (
    BudgetExceeded,
    ContentFlagged,
    Forbidden,
    InternalError,
    InvalidRequest,
    InvalidSignature,
    PredictionFailed,
    UnknownModel,
    UnpricedModel,
    VslError,
    error_classes,
)

_QUOTA = "insufficient_quota"
# By the class of our error: type and code in OpenAI's own words.
_KINDS: tuple[tuple[type[VslError], int | None, str, str | None], ...] = (
    (UnknownModel, None, "invalid_request_error", "model_not_found"),
    (BudgetExceeded, 429, _QUOTA, _QUOTA),
    (UnpricedModel, None, "invalid_request_error", "model_not_found"),
    (ContentFlagged, 400, "image_generation_user_error", "content_policy_violation"),
    (InvalidRequest, None, "invalid_request_error", None),
    (InvalidSignature, None, "authentication_error", None),
    (Forbidden, None, "permission_error", None),
)
_JOB_FAILED = 422


@dataclass(frozen=True, slots=True)
class OpenAIError:
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def openai_error(error: VslError) -> OpenAIError:
    """`x-should-retry: false`: what a repetition cannot change, though its status is one that is repeated."""
    status, kind, code = error.status, _by_status(error.status), error.code
    for cls, other, name, their_code in _KINDS:
        if isinstance(error, cls):
            status, kind, code = other or error.status, name, their_code or error.code
            break
    headers = dict(_text_headers(error.details.get("headers")))
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if code == _QUOTA:
        headers["x-should-retry"] = "false"
    body = {"message": _message(error), "type": kind, "param": _param(error), "code": code}
    return OpenAIError(status, {"error": body}, headers)


def job_error(code: str | None, message: str | None) -> OpenAIError:
    """Of a job that has ended without a picture. No client repeats it by itself: it would pay once more."""
    kind = error_classes().get(code or "", PredictionFailed)
    if issubclass(kind, ContentFlagged):
        return openai_error(kind(message or kind.title))
    body = {
        "message": message or kind.title,
        "type": "image_generation_error",
        "param": None,
        "code": code,
    }
    return OpenAIError(_JOB_FAILED, {"error": body}, {"x-should-retry": "false"})


def still_running(job_id: str, *, joins: bool, retry_after: float) -> OpenAIError:
    """The wait is over, the job is not. `joins`: the client's own repetition gets the same job, so it is
    asked for one. Any other client is told to stop: what it sent again would be another job."""
    if joins:
        message = (
            f"The image is not finished yet (job {job_id}). The same request, sent again, waits on."
        )
        headers = {"Retry-After": str(max(1, round(retry_after))), "x-should-retry": "true"}
        status = 409
    else:
        message = (
            f"The image is not finished yet: it is job {job_id}, see GET /jobs/{job_id}. A request with"
            " an Idempotency-Key header can be sent again until it is."
        )
        headers = {"x-should-retry": "false"}
        status = _JOB_FAILED
    body = {"message": message, "type": "server_error", "param": None, "code": "JobNotEnded"}
    return OpenAIError(status, {"error": body}, headers)


def _by_status(status: int) -> str:
    kinds = {401: "authentication_error", 403: "permission_error", 429: "requests"}
    return kinds.get(status) or (
        "server_error" if status >= InternalError.status else "invalid_request_error"
    )


def _message(error: VslError) -> str:
    """Faults of ours stay vague, as in our own problems."""
    return error.title if error.status == InternalError.status else error.message


def _param(error: VslError) -> str | None:
    if isinstance(error, UnknownModel):
        return "model"
    if isinstance(error, InvalidRequest) and error.faults:
        return error.faults[0][0].removeprefix("parameters.")
    return None


def _text_headers(headers: object) -> Mapping[str, str]:
    return headers if isinstance(headers, Mapping) else {}
