"""Request validation by JSON Schema draft 4, with API Gateway's wording of what is wrong.

API Gateway uses the Java library json-schema-validator; its messages reach clients through
`$context.error.validationErrorString`, so they are part of the behaviour.
"""

import json
from collections.abc import Mapping
from typing import Any, Never

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError

from devstack.json_types import json_type


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
    """The message of the Java library; where it is not known, that of the Python library."""
    form = _MESSAGES.get(str(error.validator))
    if form is None:
        return error.message
    schema: Any = error.schema
    wanted: Any = error.validator_value
    found: Any = error.instance
    named = set(found) if isinstance(found, dict) else set()
    return form.format(
        wanted=wanted,
        found=found,
        wanted_json=_json(wanted),
        found_json=_json(found),
        length=len(found) if isinstance(found, str) else 0,
        kind=json_type(found),
        kinds=_json([wanted] if isinstance(wanted, str) else wanted),
        missing=_json(sorted(set(wanted) - named) if error.validator == "required" else []),
        extra=_json(sorted(named - set(schema.get("properties", {})))),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_MESSAGES = {
    "required": "object has missing required properties ({missing})",
    "type": "instance type ({kind}) does not match any allowed primitive type (allowed: {kinds})",
    "additionalProperties": (
        "object instance has properties which are not allowed by the schema: {extra}"
    ),
    "enum": "instance value ({found_json}) not found in enum (possible values: {wanted_json})",
    "minimum": (
        "numeric instance is lower than the required minimum (minimum: {wanted}, found: {found})"
    ),
    "maximum": (
        "numeric instance is greater than the required maximum (maximum: {wanted}, found: {found})"
    ),
    "minLength": (
        "string {found_json} is too short (length: {length}, required minimum: {wanted})"
    ),
    "maxLength": "string {found_json} is too long (length: {length}, maximum allowed: {wanted})",
    "pattern": "ECMA 262 regex {wanted_json} does not match input string {found_json}",
}
