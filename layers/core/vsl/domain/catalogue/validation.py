"""A model's parameters: checked against the catalogue, completed, and put in the provider's words.

Values are refused, never clamped; every fault is reported at once.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vsl.domain.catalogue.mapping import provider_call, provider_inputs
from vsl.domain.catalogue.models import Model, Parameter, Scalar, Value
from vsl.domain.catalogue.uri import MAX_DATA_CHARACTERS, check_uri, is_data_uri
from vsl.domain.errors import InvalidParameters
from vsl.domain.suggestions import did_you_mean, listed, named, number

MAX_TEXT_CHARACTERS = 10_000
_MAX_REPORTED_FAULTS = 20
_MAX_MEMBER_FAULTS = 3
# What a whole number without a bound of its own may be at most: beyond it readers of JSON differ.
_INT64 = range(-(2**63), 2**63)
# Control characters other than tab, line feed and carriage return, and halves of surrogate pairs:
# PostgreSQL refuses NUL, UTF-8 refuses the halves, and no model has a use for the rest.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_TYPE_NAMES = {
    "string": "text",
    "uri": "a URL as text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
}


def validate_parameters(
    model: Model, parameters: Mapping[str, object], *, allow_http: bool
) -> dict[str, Any]:
    """The parameters with defaults filled in. Raises InvalidParameters with all faults."""
    valid, faults = _checked_each(model, parameters, allow_http)
    for name, known in model.parameters.items():
        if name in parameters:
            continue
        if known.required:
            faults[name] = "is required"
        elif known.default is not None:
            valid[name] = _as_json(known.default)
    for name, fault in _joint_faults(model, valid):
        faults.setdefault(name, fault)
    if faults:
        raise invalid_parameters(model, faults)
    return valid


def _checked_each(
    model: Model, parameters: Mapping[str, object], allow_http: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """What is given and good, and what is wrong with the rest."""
    valid: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, value in parameters.items():
        if len(faults) == _MAX_REPORTED_FAULTS:
            break  # what is told of more is left out, and a suggestion takes its time
        known = model.parameters.get(name)
        if known is None:
            faults[name] = _unknown(model, name)
            continue
        try:
            valid[name] = checked(known, value, allow_http=allow_http)
        except ValueError as error:
            faults[name] = str(error)
    return valid, faults


def _joint_faults(model: Model, valid: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Faults that show only when several parameters are seen together."""
    data = []
    for name, value in valid.items():
        known = model.parameters[name]
        if known.requires is not None and known.requires not in valid:
            yield name, f"needs {known.requires} as well"
        if known.value_type == "uri":
            data += [(name, each) for each in _members(value) if is_data_uri(each)]
    if len(data) > 1 and sum(len(each) for _, each in data) > MAX_DATA_CHARACTERS:
        yield data[-1][0], f"all data: URLs together may have {MAX_DATA_CHARACTERS:,} characters"


def _members(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_json(value: Value) -> Scalar | list[Scalar]:
    return list(value) if isinstance(value, tuple) else value


def _unknown(model: Model, name: str) -> str:
    hint = did_you_mean(name, model.parameters)
    takes = listed(model.parameters)
    return f"is not a parameter of {model.model_id}. {hint}It takes: {takes}"


def build_provider_input(model: Model, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's input for validated parameters: only inputs the catalogue names."""
    return provider_call(model, parameters).input(parameters)


def parameters_schema(model: Model, *, allow_http: bool = False) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the parameters.

    `x-maps-to` names the provider's inputs, `x-media` what a file must be.
    """
    dependent = {
        name: [known.requires] for name, known in model.parameters.items() if known.requires
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": model.model_id,
        "type": "object",
        "properties": {
            name: {
                **_value_schema(parameter, allow_http=allow_http),
                "x-maps-to": provider_inputs(model, name),
            }
            for name, parameter in model.parameters.items()
        },
        "required": [name for name, known in model.parameters.items() if known.required],
        "additionalProperties": False,
    } | ({"dependentRequired": dependent} if dependent else {})


def checked(
    parameter: Parameter, value: object, *, allow_http: bool
) -> Scalar | list[Scalar] | None:
    """The value in the parameter's own type. Raises ValueError with what is wrong with it.

    A whole number may come as 8.0, as JSON Schema has it; true is no number.
    """
    if value is None and parameter.nullable:
        return None
    if parameter.type != "array":
        return _checked_one(parameter, value, allow_http=allow_http)
    if not isinstance(value, list | tuple):
        raise ValueError(_mismatch(parameter, value))  # noqa: TRY004 - the caller's one way to hear
    low, high = parameter.min_items or 0, parameter.most_items
    if not low <= len(value) <= high:
        raise ValueError(f"must have {low} to {high} members, not {len(value)}")
    return _checked_members(parameter.member(), value, allow_http=allow_http)


def _checked_members(
    member: Parameter, values: Iterable[object], *, allow_http: bool
) -> list[Scalar]:
    valid: list[Scalar] = []
    faults: list[str] = []
    for index, value in enumerate(values):
        try:
            valid.append(_checked_one(member, value, allow_http=allow_http))
        except ValueError as error:
            faults.append(f"member {index} {error}")
        if len(faults) == _MAX_MEMBER_FAULTS:
            break
    if faults:
        raise ValueError("; ".join(faults))
    return valid


def _checked_one(parameter: Parameter, value: object, *, allow_http: bool) -> Scalar:
    typed = _typed(parameter, value)
    if parameter.enum is not None and typed not in parameter.enum:
        wanted = f"must be one of {listed(parameter.enum)}"
        if isinstance(typed, bool):  # the other one
            raise ValueError(
                f"must be {_described(not typed)}: {_described(typed)} is not allowed here"
            )
        if not isinstance(typed, str):
            raise ValueError(f"{wanted}, not {number(typed)}")
        raise ValueError(f"{wanted}. {did_you_mean(typed, map(str, parameter.enum))}".strip())
    if isinstance(typed, str):
        _check_text(parameter, typed, allow_http=allow_http)
    elif not isinstance(typed, bool):
        _check_range(parameter, typed)
    return typed


def _typed(parameter: Parameter, value: object) -> Scalar:
    kind = parameter.type
    if kind in {"string", "uri"} and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in {"integer", "number"} and isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must be a finite number")
        if kind == "number" and not isinstance(value, bool):
            return value
        if not isinstance(value, bool) and value == int(value):
            return int(value)
    raise ValueError(_mismatch(parameter, value))


def _mismatch(parameter: Parameter, value: object) -> str:
    wanted = _TYPE_NAMES[parameter.type]
    if value is None:
        return f"must be {wanted}, not null; leave it out instead"
    return f"must be {wanted}, not {_described(value)}"


def _described(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return number(value) if isinstance(value, int | float) else "text"


def _check_range(parameter: Parameter, value: float) -> None:
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"must be {_range(low, high)}, not {number(value)}")
    if parameter.type == "integer" and value not in _INT64:
        raise ValueError("must be a whole number of at most 64 bits")
    if parameter.multiple_of is not None and value % parameter.multiple_of:
        below = int(value) // parameter.multiple_of * parameter.multiple_of
        raise ValueError(
            f"must be a multiple of {parameter.multiple_of}, such as"
            f" {max(below, math.ceil(low or 0))}, not {value}"
        )


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"between {low} and {high}"


def _check_text(parameter: Parameter, text: str, *, allow_http: bool) -> None:
    if parameter.type == "uri":
        check_uri(text, allow_http=allow_http)
        return
    if parameter.required and not text.strip():
        raise ValueError("must not be empty")
    limit = parameter.max_length or MAX_TEXT_CHARACTERS
    if len(text) > limit:
        raise ValueError(f"has {len(text):,} characters; at most {limit:,} are allowed")
    unfit = _UNFIT.search(text)
    if unfit:
        raise ValueError(
            f"has a control character (U+{ord(unfit[0]):04X}) at position {unfit.start()}"
        )


def _value_schema(parameter: Parameter, *, allow_http: bool) -> dict[str, Any]:
    if parameter.type == "array":
        schema: dict[str, Any] = {
            "type": "array",
            "items": _member_schema(parameter.member(), allow_http=allow_http),
            "minItems": parameter.min_items,
            "maxItems": parameter.most_items,
        }
    else:
        schema = _member_schema(parameter, allow_http=allow_http)
    if parameter.nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    schema |= {
        "title": parameter.title,
        "description": parameter.description,
        "default": None if parameter.default is None else _as_json(parameter.default),
        "x-order": parameter.order,
    }
    return {keyword: value for keyword, value in schema.items() if value is not None}


def _member_schema(parameter: Parameter, *, allow_http: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type}
    bounds = (parameter.minimum, parameter.maximum)
    if parameter.type == "uri":
        schemes = "https?://|data:|upload:" if allow_http else "https://|data:|upload:"
        schema |= {"type": "string", "format": "uri", "pattern": f"^({schemes})"}
        if parameter.media is not None:
            schema["x-media"] = parameter.media.value
        schema["maxLength"] = MAX_DATA_CHARACTERS
    elif parameter.type == "string" and parameter.enum is None:
        schema["maxLength"] = parameter.max_length or MAX_TEXT_CHARACTERS
        if parameter.required:
            schema["pattern"] = "\\S"
    elif parameter.type == "integer" and parameter.enum is None and None in bounds:
        schema["format"] = "int64"
    optional = {
        "enum": None if parameter.enum is None else list(parameter.enum),
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "multipleOf": parameter.multiple_of,
    }
    return schema | {keyword: value for keyword, value in optional.items() if value is not None}


def invalid_parameters(model: Model, faults: Mapping[str, str]) -> InvalidParameters:
    """The refusal that names every parameter at fault, by its name and what is wrong with it."""
    fields = [
        {"field": f"parameters.{_known(model, name)}", "message": message}
        for name, message in list(faults.items())[:_MAX_REPORTED_FAULTS]
    ]
    text = "; ".join(f"{fault['field']} {fault['message']}" for fault in fields)
    return InvalidParameters(f"{model.model_id}: {text}.", fields=fields)


def _known(model: Model, name: str) -> str:
    return name if name in model.parameters else named(name)
