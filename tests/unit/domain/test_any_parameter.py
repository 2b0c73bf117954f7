"""Every shape a parameter can have: any value for it is refused by name, or accepted and sent as the
schema says."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.models import Model
from vsl.domain.catalogue.validation import (
    build_provider_input,
    parameters_schema,
    validate_parameters,
)
from vsl.domain.errors import InvalidParameters

HANDLE = "upload:0197b5a0-0000-7000-8000-000000000001"
URL = "https://example.com/a.png"


def entry(parameter: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "reference": "acme/shapes",
        "description": "Takes one thing.",
        "output": "json",
        "parameters": {"thing": parameter},
        "estimatedTime": 1,
        "timeout": 60,
        "example": {},
        **more,
    }


def parsed(parameter: dict[str, Any], **more: Any) -> Model:
    document = {"text": {"shapes": entry(parameter, **more)}}
    return Catalogue.parse(json.dumps(document)).models["shapes"]


def taken(parameter: dict[str, Any], value: Any) -> Any:
    """The value as it is accepted, or what is wrong with it."""
    try:
        return validate_parameters(parsed(parameter), {"thing": value}, allow_http=False)["thing"]
    except InvalidParameters as error:
        return error.message.removeprefix("shapes: parameters.thing ")


TEXTS = {"type": "array", "items": "string"}


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (TEXTS, "a", "must be a list, not text"),
        (TEXTS, None, "must be a list, not null; leave it out instead"),
        (TEXTS, ["a", 1], "member 1 must be text, not 1"),
        (TEXTS, [["a"]], "member 0 must be text, not a list"),
        (TEXTS, ["a"] * 101, "must have 0 to 100 members, not 101"),
        ({**TEXTS, "maxLength": 2}, ["abc"], "member 0 has 3 characters; at most 2 are allowed"),
        ({**TEXTS, "minItems": 1, "maxItems": 2}, [], "must have 1 to 2 members, not 0"),
        ({**TEXTS, "enum": ["fox", "owl"]}, ["fxo"], "member 0 must be one of fox, owl. Did you "),
        ({"type": "array", "items": "integer", "minimum": 3}, [2], "member 0 must be at least 3"),
        ({"type": "array", "items": "uri"}, ["x", "y"], "member 0 must be an https:// URL"),
        ({"type": "array", "items": "uri"}, ["upload:x"], "member 0 must be the handle that POST"),
        ({"type": "integer"}, 2**63, "must be a whole number of at most 64 bits"),
        ({"type": "integer"}, -(2.0**80), "must be a whole number of at most 64 bits"),
        ({"type": "integer", "minimum": 3}, 2, "must be at least 3, not 2"),
        ({"type": "number", "maximum": 0.5}, 2, "must be at most 0.5, not 2"),
        ({"type": "number"}, float("inf"), "must be a finite number"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    parameter: dict[str, Any], value: object, message: str
) -> None:
    assert message in taken(parameter, value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (TEXTS, []),
        (TEXTS, ["", "fox"]),
        ({"type": "array", "items": "uri"}, [URL, HANDLE]),
        ({"type": "array", "items": "integer", "nullable": True}, None),
        ({"type": "integer"}, -(2**63)),
        ({"type": "number"}, 1e300),
        ({"type": "string", "nullable": True, "required": True}, None),
        ({"type": "string", "enum": ["a"], "nullable": True}, None),
    ],
)
def test_what_is_taken_as_it_is(parameter: dict[str, Any], value: object) -> None:
    example = {"thing": None} if parameter.get("required") else {}
    model = parsed(parameter, example=example)

    valid = validate_parameters(model, {"thing": value}, allow_http=False)

    assert valid == {"thing": value}
    assert build_provider_input(model, valid) == {"thing": value}
    jsonschema.Draft202012Validator(parameters_schema(model)).validate(valid)


def test_null_is_sent_as_null_also_where_members_are_translated() -> None:
    model = parsed({"type": "string", "enum": ["a"], "values": {"a": "A"}, "nullable": True})

    assert build_provider_input(model, {"thing": None}) == {"thing": None}
    assert build_provider_input(model, {"thing": "a"}) == {"thing": "A"}


def test_the_provider_s_name_may_be_any() -> None:
    model = parsed({"type": "string", "input": "Prompt.Text-2"}, fixed={"_Safe": True})

    assert build_provider_input(model, {"thing": "a"}) == {"_Safe": True, "Prompt.Text-2": "a"}


def test_data_urls_of_all_members_share_one_limit() -> None:
    half = "data:image/png;base64," + "A" * 60_000
    assert taken({"type": "array", "items": "uri"}, [half]) == [half]
    assert "together" in taken({"type": "array", "items": "uri"}, [half, half])


def test_the_schema_is_what_a_form_is_made_from() -> None:
    parameter = {
        "type": "array",
        "items": "uri",
        "media": "image",
        "maxItems": 4,
        "nullable": True,
        "title": "References",
        "order": 3,
        "default": [URL],
    }

    assert parameters_schema(parsed(parameter))["properties"]["thing"] == {
        "type": ["array", "null"],
        "items": {
            "type": "string",
            "format": "uri",
            "pattern": "^(https://|data:|upload:)",
            "x-media": "image",
            "maxLength": 100_000,
        },
        "maxItems": 4,
        "title": "References",
        "default": [URL],
        "x-order": 3,
        "x-maps-to": ["thing"],
    }


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=12),
    "integer": st.integers() | st.integers(-9, 9).map(float),
    "number": st.integers() | st.floats(),
    "boolean": st.booleans(),
    "uri": st.sampled_from([URL, HANDLE, "data:text/plain;base64,YQ==", "http://10.0.0.1/"]),
}
_CHOICES: dict[str, list[Any]] = {
    "string": ["", "fox", "owl"],
    "integer": [-1, 0, 7],
    "number": [0.5, 2, -3],
    "uri": [URL],
}


@st.composite
def _parameters(draw: st.DrawFn) -> dict[str, Any]:
    """A parameter that the catalogue takes, of any type and with any of the keys that apply to it."""
    kind = draw(st.sampled_from(list(_MEMBERS)))
    parameter: dict[str, Any] = {"type": kind}
    if draw(st.booleans()):
        low, span = draw(st.integers(0, 3)), draw(st.integers(1, 4))
        parameter = {"type": "array", "items": kind, "minItems": low, "maxItems": low + span}
    if kind in _CHOICES and draw(st.booleans()):
        parameter["enum"] = draw(st.lists(st.sampled_from(_CHOICES[kind]), min_size=1, unique=True))
    elif kind in {"integer", "number"}:
        bounds = draw(st.tuples(*[st.none() | st.integers(-50, 50)] * 2))
        low_bound, high_bound = sorted(bounds, key=lambda bound: bound or 0)
        parameter |= {"minimum": low_bound} if low_bound is not None else {}
        parameter |= {"maximum": high_bound} if high_bound is not None else {}
        if kind == "integer" and draw(st.booleans()):
            parameter["multipleOf"] = draw(st.integers(1, 9))
    elif kind == "string" and draw(st.booleans()):
        parameter["maxLength"] = draw(st.integers(1, 9))
    parameter["nullable"] = draw(st.booleans())
    return parameter


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Model, Any]:
    parameter = draw(_parameters())
    kind = parameter.get("items", parameter["type"])
    near = _MEMBERS[kind] | st.sampled_from(parameter.get("enum", [None]))
    values = st.lists(near, max_size=6) if "items" in parameter else near
    return parsed(parameter), draw(values | _ANYTHING)


def _refusal(model: Model, value: object) -> InvalidParameters | None:
    try:
        validate_parameters(model, {"thing": value}, allow_http=False)
    except InvalidParameters as error:
        return error
    return None


@settings(max_examples=400, deadline=None)
@given(_cases())
def test_any_value_is_refused_by_name_or_sent_as_the_schema_says(case: tuple[Model, Any]) -> None:
    model, value = case
    schema = parameters_schema(model)
    jsonschema.Draft202012Validator.check_schema(schema)
    refusal = _refusal(model, value)
    if refusal is not None:
        fields = refusal.details["fields"]
        assert isinstance(fields, list)
        assert [fault["field"] for fault in fields] == ["parameters.thing"]
        json.dumps(refusal.document(), ensure_ascii=False).encode("utf-8")
        return

    valid = validate_parameters(model, {"thing": value}, allow_http=False)
    jsonschema.Draft202012Validator(schema).validate(valid)
    assert build_provider_input(model, valid) == {"thing": value}
    json.dumps(valid, ensure_ascii=False, allow_nan=False).encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(_cases())
def test_what_fits_the_schema_is_refused_only_for_what_no_schema_tells(
    case: tuple[Model, Any],
) -> None:
    """Formats of addresses, control characters and 64 bits: nothing else is beyond the schema."""
    model, value = case
    if not jsonschema.Draft202012Validator(parameters_schema(model)).is_valid({"thing": value}):
        return
    refusal = _refusal(model, value)
    beyond = ("control character", "64 bits", "finite", "must lead", "handle", "data:")
    assert refusal is None or any(word in refusal.message for word in beyond), refusal
