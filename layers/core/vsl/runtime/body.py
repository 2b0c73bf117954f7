"""The JSON body of a request to a route of our own, read strictly."""

import base64
import binascii
import json
from typing import Any, Never

from vsl.domain.errors import InvalidRequest
from vsl.domain.wording import shown
from vsl.runtime.handler import Event


def json_body(event: Event) -> dict[str, Any]:
    """The object in a proxy event's body. Raises InvalidRequest.

    A name that comes twice, NaN and Infinity are refused: readers of JSON disagree about them.
    """
    text = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            text = base64.b64decode(text).decode()
        body = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json)
    except (ValueError, RecursionError, binascii.Error) as error:
        raise _invalid("is not valid JSON") from error
    if not isinstance(body, dict):
        raise _invalid("must be a JSON object")
    return body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _invalid(f"has {shown(name)} twice")
        found[name] = value
    return found


def _not_json(_name: str) -> Never:
    raise _invalid("is not valid JSON")


def _invalid(what: str) -> InvalidRequest:
    return InvalidRequest(f"The body {what}.", fields=[{"field": "body", "message": what}])
