"""Validation of create requests with the provider's own wording.

Its words are those of gojsonschema (https://github.com/xeipuu/gojsonschema, locales.go). A key of
`input` that the model does not know is ignored, a key beside `input` is refused, null is a value
only where the schema is nullable.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from devstack.json_types import JSON_TYPES, json_type
from devstack.replicate.problems import Problem, invalid_fields
from devstack.replicate.schemas.interface import Interface, Schema

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


def check_input(interface: Interface, given: Mapping[str, Any]) -> None:
    """A model's input. Raises Problem 422 naming every fault."""
    checker = _Checker(interface)
    if faults := list(
        checker.object("input", {**interface.input, "properties": interface.inputs}, given)
    ):
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


class _Checker:
    """Compares values with the schemas of one document."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface

    def object(self, field: str, schema: Schema, value: Mapping[str, Any]) -> Iterator[Fault]:
        for name in schema.get("required", ()):
            if name not in value:
                yield _fault("required", field, f"{name} is required")
        for name, each in schema.get("properties", {}).items():
            if name in value:
                yield from self._value(f"{field}.{name}", each, value[name])

    def _value(self, field: str, schema: Schema, value: Any) -> Iterator[Fault]:
        schema = self._interface.resolve(schema)
        if value is None and schema.get("nullable"):
            return
        kind = schema.get("type")
        if kind is not None and not _is(kind, value):
            yield _wrong_type(field, kind, value)
            return
        if not self._fits_union(field, schema, value):
            yield _fault("number_any_of", field, "Must validate at least one schema (anyOf)")
        if "enum" in schema and value not in schema["enum"]:
            yield _not_among(field, schema["enum"])
        if "const" in schema and value != schema["const"]:
            text = f"{_short(field)} does not match: {json.dumps(schema['const'])}"
            yield _fault("const", field, text)
        if isinstance(value, str):
            yield from _text_faults(field, schema, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield from _number_faults(field, schema, value)
        elif isinstance(value, list):
            yield from self._list(field, schema, value)
        elif isinstance(value, Mapping):
            yield from self.object(field, schema, value)

    def _fits_union(self, field: str, schema: Schema, value: Any) -> bool:
        branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        fits = (not any(self._value(field, branch, value)) for branch in branches)
        return not branches or any(fits)

    def _list(self, field: str, schema: Schema, value: list[Any]) -> Iterator[Fault]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
        if len(value) < least:
            yield _fault("array_min_items", field, f"Array must have at least {least} items")
        if len(value) > most:
            yield _fault("array_max_items", field, f"Array must have at most {most} items")
        for index, item in enumerate(value):
            yield from self._value(f"{field}.{index}", schema.get("items", {}), item)


def _text_faults(field: str, schema: Schema, value: str) -> Iterator[Fault]:
    length, least, most = len(value), schema.get("minLength", 0), schema.get("maxLength")
    if length < least:
        text = f"String length must be greater than or equal to {least}"
        yield _fault("string_gte", field, text)
    if most is not None and length > most:
        yield _fault("string_lte", field, f"String length must be less than or equal to {most}")
    pattern = schema.get("pattern")
    if pattern is not None and not re.search(pattern, value):
        yield _fault("pattern", field, f"Does not match pattern '{pattern}'")
    form = str(schema.get("format"))
    if form in _FORMATS and not _FORMATS[form](value):
        yield _fault("format", field, f"Does not match format '{form}'")


def _number_faults(field: str, schema: Schema, value: float) -> Iterator[Fault]:
    for rule, (kind, text, fits) in _LIMITS.items():
        limit = schema.get(rule)
        if limit is not None and not isinstance(limit, bool) and not fits(value, limit):
            yield _fault(kind, field, f"{text} {_decimal(limit)}")


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def parses(text: str) -> bool:
        with suppress(ValueError):
            parse(text)
            return True
        return False

    return parses


_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "uri": lambda text: bool(split_address(text)[0]),
    "date": _parses(date.fromisoformat),
    "date-time": _parses(datetime.fromisoformat),
}
_LIMITS: Mapping[str, tuple[str, str, Callable[[float, float], bool]]] = {
    "minimum": (
        "number_gte",
        "Must be greater than or equal to",
        lambda value, limit: value >= limit,
    ),
    "maximum": ("number_lte", "Must be less than or equal to", lambda value, limit: value <= limit),
    "exclusiveMinimum": ("number_gt", "Must be greater than", lambda value, limit: value > limit),
    "exclusiveMaximum": ("number_lt", "Must be less than", lambda value, limit: value < limit),
    "multipleOf": ("multiple_of", "Must be a multiple of", lambda value, step: value % step == 0),
}


def _decimal(value: float) -> str:
    """As short as it can be without another value."""
    short = f"{value:g}"
    return short if float(short) == value else str(value)


def _is(kind: str, value: object) -> bool:
    given = json_type(value)
    if kind not in JSON_TYPES:  # some schemas name a class of theirs
        return True
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return given == kind or (kind == "number" and given == "integer")


def _fault(kind: str, field: str, description: str) -> Fault:
    return {"type": kind, "field": field, "description": description}


def _wrong_type(field: str, expected: str, value: object) -> Fault:
    description = f"Invalid type. Expected: {expected}, given: {json_type(value)}"
    return _fault("invalid_type", field, description)


def _not_among(field: str, values: Iterable[Any]) -> Fault:
    allowed = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
    return _fault("enum", field, f"{_short(field)} must be one of the following: {allowed}")


def _short(field: str) -> str:
    return field.removeprefix("input.")


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
