"""What the routes of OpenAI's API have in common: errors in its shape, and what the client says of itself."""

import json
from collections.abc import Mapping
from functools import wraps
from typing import Any

from vsl.domain.compat.openai_errors import OpenAIError, openai_error
from vsl.domain.compat.openai_request import File, form_members
from vsl.domain.errors import VslError
from vsl.runtime.body import json_body
from vsl.runtime.compat_caller import compat_user, gateway, idempotency_key, repetition
from vsl.runtime.handler import Context, Event, Handler, Response, header, refusing_as
from vsl.runtime.multipart import FORM, form_of
from vsl.services.compat.generate_images import Sender


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
    if not (header(event, "Content-Type") or "").lower().startswith(FORM):
        return json_body(event), []
    form = form_of(event)
    files = [File(name, part.content) for name, parts in form.files.items() for part in parts]
    return form_members(form.fields), files


def sender(event: Event, context: Context) -> Sender:
    """Raises InvalidRequest, also for an Idempotency-Key that is none, and Forbidden."""
    return Sender(
        user_id=compat_user(event),
        request_id=context.aws_request_id,
        key=idempotency_key(event),
        repetition=repetition(event),
        api=gateway(event),
    )


def _refusal(error: VslError) -> Response:
    return error_answer(openai_error(error))
