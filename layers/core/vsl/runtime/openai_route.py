"""What the routes of OpenAI's API have in common: errors in its shape, and what the client says of itself."""

import json
from collections.abc import Mapping
from functools import wraps
from typing import Any

from vsl.domain.compat.openai_errors import OpenAIError, openai_error
from vsl.domain.compat.openai_request import File, form_members
from vsl.domain.errors import VslError
from vsl.runtime.body import json_body
from vsl.runtime.compat_caller import compat_user
from vsl.runtime.handler import Context, Event, Handler, Response, header, refusing_as
from vsl.runtime.multipart import is_form, read_form
from vsl.services.compat.generate_images import Sender

# What is left of API Gateway's 29 seconds is for the answer's way back, the reading of its files included.
ANSWER_WITHIN = 26.0
_MARGIN = 1.5


def openai(function: Handler) -> Handler:
    """A route whose errors leave in OpenAI's shape."""
    return wraps(function)(refusing_as(function, _refusal))


def error_answer(error: OpenAIError) -> Response:
    return {
        "statusCode": error.status,
        "headers": {"Content-Type": "application/json", **error.headers},
        "body": json.dumps(error.body, ensure_ascii=False, separators=(",", ":")),
    }


def members_and_files(event: Event) -> tuple[Mapping[str, Any], list[File]]:
    """The request, as JSON or as a form. Raises InvalidRequest."""
    if not is_form(event):
        return json_body(event), []
    form = read_form(event)
    return form_members(form.fields), [File(part.name, part.content) for part in form.files]


def sender(event: Event, context: Context) -> Sender:
    """Raises InvalidRequest and Forbidden."""
    about = event.get("requestContext") or {}
    return Sender(
        user_id=compat_user(event),
        request_id=context.aws_request_id,
        key=header(event, "Idempotency-Key") or "",
        retry=_retries(header(event, "x-stainless-retry-count")),
        api={"id": str(about.get("apiId") or ""), "host": str(about.get("domainName") or "")},
    )


def seconds_left(event: Event, context: Context, now: float) -> float:
    """How long the client can be kept waiting still, of API Gateway's time and of the function's."""
    came = (event.get("requestContext") or {}).get("requestTimeEpoch")
    waited = max(0.0, now - came / 1000) if isinstance(came, int) else 0.0
    return min(ANSWER_WITHIN - waited, context.get_remaining_time_in_millis() / 1000 - _MARGIN)


def _retries(text: str | None) -> int | None:
    """What the official clients count; None for a client that does not."""
    known = text is not None and text.isascii() and text.isdecimal() and len(text) <= 4
    return int(text) if known and text is not None else None


def _refusal(error: VslError) -> Response:
    return error_answer(openai_error(error))
