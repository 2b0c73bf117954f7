"""Request validation by JSON Schema draft 4, with API Gateway's wording of what is wrong.

API Gateway uses the Java library json-schema-validator; its messages reach clients through
`$context.error.validationErrorString`, so they are part of the behaviour.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Never

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError


def body_errors(schema: Mapping[str, Any], components: Mapping[str, Any], body: str) -> list[str]:
    """What is wrong with a body; nothing when it is valid. References look into `components`."""
    try:
        value: Any = json.loads(body, parse_constant=_not_json) if body else None
        validator = Draft4Validator({"allOf": [schema], "components": components})
        errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    except (ValueError, RecursionError):  # nested too deep for a reader is no JSON either
        return ["Unable to parse the request body"]
    messages: list[str] = []
    for error in errors:
        text = _message(error)
        if text not in messages:
            messages.append(text)
    return messages


def _not_json(name: str) -> Never:
    """NaN and Infinity, which Python's reader would take."""
    raise ValueError(name)


def _message(error: ValidationError) -> str:
    wording = _WORDING.get(str(error.validator))
    return error.message if wording is None else wording(error)


def _required(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    found: Any = error.instance
    return f"object has missing required properties ({_json(sorted(set(wanted) - set(found)))})"


def _type(error: ValidationError) -> str:
    allowed: Any = error.validator_value
    names = [allowed] if isinstance(allowed, str) else list(allowed)
    return (
        f"instance type ({_type_name(error.instance)}) does not match any allowed primitive type "
        f"(allowed: {_json(names)})"
    )


def _additional(error: ValidationError) -> str:
    schema: Any = error.schema
    found: Any = error.instance
    extra = sorted(set(found) - set(schema.get("properties", {})))
    return f"object instance has properties which are not allowed by the schema: {_json(extra)}"


def _type_name(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return "null" if value is None else names.get(type(value), "object")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _length(value: Any) -> int:
    return len(value)


_WORDING: Mapping[str, Callable[[ValidationError], str]] = {
    "required": _required,
    "type": _type,
    "additionalProperties": _additional,
    "enum": lambda error: (
        f"instance value ({_json(error.instance)}) not found in enum "
        f"(possible values: {_json(error.validator_value)})"
    ),
    "minimum": lambda error: (
        f"numeric instance is lower than the required minimum "
        f"(minimum: {error.validator_value}, found: {error.instance})"
    ),
    "maximum": lambda error: (
        f"numeric instance is greater than the required maximum "
        f"(maximum: {error.validator_value}, found: {error.instance})"
    ),
    "minLength": lambda error: (
        f"string {_json(error.instance)} is too short "
        f"(length: {_length(error.instance)}, required minimum: {error.validator_value})"
    ),
    "maxLength": lambda error: (
        f"string {_json(error.instance)} is too long "
        f"(length: {_length(error.instance)}, maximum allowed: {error.validator_value})"
    ),
    "pattern": lambda error: (
        f"ECMA 262 regex {_json(error.validator_value)} does not match input string "
        f"{_json(error.instance)}"
    ),
}
