"""Validation of create requests with the provider's own wording.

Its words are those of gojsonschema (https://github.com/xeipuu/gojsonschema, locales.go). A key of
`input` that the model does not know is ignored, a key beside `input` is refused, null is no value.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from devstack.json_types import json_type
from devstack.replicate.problems import Problem, invalid_fields
from devstack.replicate.schemas.fields import Field, uri

EVENTS = ("start", "output", "logs", "completed")
_BODY: Mapping[str, str] = {
    "version": "string",
    "input": "object",
    "webhook": "string",
    "webhook_events_filter": "array",
    "stream": "boolean",
}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
Fault = dict[str, str]


def check_body(body: object, *, needs_version: bool) -> dict[str, Any]:
    """The request's envelope. Raises Problem 422 naming every fault."""
    if not isinstance(body, dict):
        raise invalid_fields([_wrong_type("", "object", body)])
    allowed = {name: kind for name, kind in _BODY.items() if needs_version or name != "version"}
    required = ("version", "input") if needs_version else ("input",)
    faults = [
        _fault("required", "", f"{name} is required") for name in required if name not in body
    ]
    unknown = (f"Additional property {name} is not allowed" for name in body if name not in allowed)
    faults += [_fault("additional_property_not_allowed", "", text) for text in unknown]
    faults += [
        _wrong_type(name, kind, body[name])
        for name, kind in allowed.items()
        if name in body and not _is(kind, body[name])
    ]
    faults += _webhook_faults(body)
    if faults:
        raise invalid_fields(faults)
    return body


def check_input(fields: tuple[Field, ...], given: Mapping[str, Any]) -> None:
    """A model's input. Raises Problem 422 naming every fault."""
    faults = [
        _fault("required", "input", f"{field.name} is required")
        for field in fields
        if field.required and field.name not in given
    ]
    for field in fields:
        if field.name in given:
            faults.extend(_field_faults(field, given[field.name]))
    if faults:
        raise invalid_fields(faults)


def parse_cancel_after(text: str | None) -> float | None:
    """Seconds of a `Cancel-After` header such as `30`, `90s`, `1h30m45s`. Raises Problem 422.

    The least is 5 s, the most 24 h; the wording of the refusal is not published, ours is.
    """
    if text is None:
        return None
    match = _DURATION.fullmatch(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not 5 <= total <= 24 * 3600:
        detail = "Cancel-After must be a duration between 5s and 24h, such as 30s or 1h30m."
        raise Problem(422, detail, title="Invalid Cancel-After header")
    return float(total)


def split_address(url: str) -> tuple[str, str]:
    """Scheme and host of an address; both empty when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _webhook_faults(body: Mapping[str, Any]) -> Iterator[Fault]:
    webhook, events = body.get("webhook"), body.get("webhook_events_filter")
    if isinstance(webhook, str):
        scheme, host = split_address(webhook)
        if not host:
            yield _fault("format", "webhook", "Does not match format 'uri'")
        elif scheme != "https" and not (scheme == "http" and _is_loopback(host)):
            yield _fault("format", "webhook", "Must be an HTTPS URL")
    if isinstance(events, list):
        for index, event in enumerate(events):
            if event not in EVENTS:
                yield _not_among(f"webhook_events_filter.{index}", EVENTS)


def _field_faults(field: Field, value: Any) -> Iterator[Fault]:
    name = f"input.{field.name}"
    if not _is(field.type, value):
        yield _wrong_type(name, field.type, value)
        return
    if field.enum and value not in field.enum:
        yield _not_among(name, field.enum)
    least, most = field.within or (None, None)
    if least is not None and value < least:
        yield _fault("number_gte", name, f"Must be greater than or equal to {least:g}")
    if most is not None and value > most:
        yield _fault("number_lte", name, f"Must be less than or equal to {most:g}")
    if field.format == "uri" and not split_address(value)[0]:
        yield _fault("format", name, "Does not match format 'uri'")
    for index, item in enumerate(value if field.type == "array" else ()):
        yield from _field_faults(uri(f"{field.name}.{index}"), item)


def _is(kind: str, value: object) -> bool:
    given = json_type(value)
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return given == kind or (kind == "number" and given == "integer")


def _fault(kind: str, field: str, description: str) -> Fault:
    return {"type": kind, "field": field, "description": description}


def _wrong_type(field: str, expected: str, value: object) -> Fault:
    description = f"Invalid type. Expected: {expected}, given: {json_type(value)}"
    return _fault("invalid_type", field, description)


def _not_among(field: str, values: tuple[Any, ...]) -> Fault:
    allowed = ", ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values)
    short = field.removeprefix("input.")
    return _fault("enum", field, f"{short} must be one of the following: {allowed}")


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
