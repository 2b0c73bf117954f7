"""The JSON body of a request to a route of our own, read strictly."""

import base64
from typing import Any

from vsl.domain.api.request_json import read_request
from vsl.domain.errors import InvalidRequest
from vsl.runtime.handler import Event


def json_body(event: Event) -> dict[str, Any]:
    """The object in a proxy event's body. Raises InvalidRequest."""
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            text = base64.b64decode(text).decode()
        except ValueError:
            raise _invalid("is not valid JSON") from None
    body = read_request(text)
    if not isinstance(body, dict):
        raise _invalid("must be a JSON object")
    return body


def _invalid(what: str) -> InvalidRequest:
    return InvalidRequest(f"The body {what}.", fields=[{"field": "body", "message": what}])
