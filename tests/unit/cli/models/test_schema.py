"""References and unions, resolved to one plain schema."""

from typing import Any

import pytest

from cli.models.translation.schema import UnreadableSchemaError, resolve

SCHEMAS = {
    "size": {
        "type": "string",
        "enum": ["S", "M"],
        "title": "size",
        "description": "An enumeration.",
    },
    "colour": {"type": "string", "enum": ["red"]},
    "loop": {"$ref": "#/components/schemas/loop"},
    "a/b": {"type": "boolean"},
}


@pytest.mark.parametrize(
    ("schema", "keywords", "nullable"),
    [
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 1}, False),
        (
            {"allOf": [{"$ref": "#/components/schemas/size"}], "default": "S", "x-order": 3},
            {"type": "string", "enum": ["S", "M"], "title": "size", "default": "S", "x-order": 3},
            False,
        ),
        (
            {"$ref": "#/components/schemas/size", "description": "How large"},
            {"type": "string", "enum": ["S", "M"], "title": "size", "description": "How large"},
            False,
        ),
        ({"$ref": "#/components/schemas/a~1b"}, {"type": "boolean"}, False),
        ({"type": "string", "nullable": True}, {"type": "string"}, True),
        ({"type": ["string", "null"], "maxLength": 9}, {"type": "string", "maxLength": 9}, True),
        (
            {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "title": "Seed"},
            {"type": "integer", "minimum": 1, "title": "Seed"},
            True,
        ),
        (
            {
                "anyOf": [
                    {"$ref": "#/components/schemas/size"},
                    {"$ref": "#/components/schemas/colour"},
                ]
            },
            {"type": "string", "enum": ["S", "M", "red"], "title": "size"},
            False,
        ),
        (
            {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "number", "minimum": 0.5}]},
            {"type": "number", "minimum": 0},
            False,
        ),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, {"type": "number"}, False),
        ({"const": "v2", "type": "string"}, {"type": "string", "enum": ["v2"]}, False),
        ({"type": "string", "enum": ["a", None]}, {"type": "string", "enum": ["a"]}, True),
        (
            {
                "allOf": [
                    {"type": "integer", "minimum": 1, "maximum": 9},
                    {"minimum": 3, "maximum": 20},
                ]
            },
            {"type": "integer", "minimum": 3, "maximum": 9},
            False,
        ),
        ({"anyOf": [{"type": "null"}]}, {"type": "null"}, True),
        (True, {}, False),
    ],
)
def test_one_plain_schema(schema: Any, keywords: dict[str, Any], nullable: bool) -> None:
    found = resolve(schema, SCHEMAS)

    assert (dict(found.keywords), found.nullable, found.forms) == (keywords, nullable, ())


def test_a_union_of_differing_types_keeps_its_forms() -> None:
    lists = {"type": "array", "items": {"type": "string"}}

    found = resolve({"anyOf": [{"type": "string"}, lists], "description": "Texts"}, SCHEMAS)

    assert [form.type for form in found.forms] == ["string", "array"]
    assert found.keywords == {"description": "Texts"}


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"$ref": "#/components/schemas/nowhere"}, "nowhere, which is not there"),
        ({"$ref": "https://example.com/schema"}, "example.com/schema, which is not there"),
        ({"$ref": "#/components/schemas/loop"}, "leads to itself"),
    ],
)
def test_what_leads_nowhere_or_to_itself_is_refused(schema: Any, where: str) -> None:
    with pytest.raises(UnreadableSchemaError, match=where):
        resolve(schema, SCHEMAS)


def test_deep_nesting_is_refused_not_followed() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        schema = {"allOf": [schema]}
    with pytest.raises(UnreadableSchemaError, match="too deeply"):
        resolve(schema, {})
