"""API Gateway's import knows references to schemas alone: all others are gone from what is deployed."""

from typing import Any

import pytest

from cli.release.inline import inlined
from devstack.publish import SOURCE
from devstack.template import load_yaml

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/a": {
            "get": {
                "responses": {
                    "400": {"$ref": "#/components/responses/Problem"},
                    "200": {"content": {"x": {"schema": {"$ref": "#/components/schemas/A"}}}},
                },
                "parameters": [{"$ref": "#/components/parameters/Id"}],
            }
        }
    },
    "components": {
        "responses": {
            "Problem": {
                "headers": {"Retry-After": {"$ref": "#/components/headers/Later"}},
                "content": {"x": {"schema": {"$ref": "#/components/schemas/A"}}},
            }
        },
        "parameters": {"Id": {"name": "id", "in": "path"}},
        "headers": {"Later": {"schema": {"type": "string"}}},
        "schemas": {"A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}}, "B": {}},
        "securitySchemes": {"Caller": {"type": "apiKey"}},
    },
}


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for inner in value.values() for found in references(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in references(inner)]
    return []


def test_everything_but_schemas_is_put_in_its_place() -> None:
    found = inlined(DOCUMENT)
    operation = found["paths"]["/a"]["get"]
    schema = {"content": {"x": {"schema": {"$ref": "#/components/schemas/A"}}}}
    assert operation["responses"]["200"] == schema
    assert operation["responses"]["400"] == {
        "headers": {"Retry-After": {"schema": {"type": "string"}}},
        **schema,
    }
    assert operation["parameters"] == [{"name": "id", "in": "path"}]
    assert found["components"].keys() == {"schemas", "securitySchemes"}
    assert "$ref" in str(DOCUMENT["paths"]), "the given document stays as it is"


def test_each_place_has_a_copy_of_its_own() -> None:
    """A later change of one answer must not change another."""
    document = {
        "paths": {
            "/a": [{"$ref": "#/components/responses/P"}, {"$ref": "#/components/responses/P"}]
        },
        "components": {"responses": {"P": {"headers": {}}}},
    }
    first, second = inlined(document)["paths"]["/a"]
    assert first == second
    assert first is not second


def test_the_products_own_document_keeps_references_to_schemas_alone() -> None:
    source = load_yaml(SOURCE)
    assert any("/responses/" in each for each in references(source))
    kept = references(inlined(source))
    assert kept
    assert all(each.startswith("#/components/schemas/") for each in kept)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("#/components/responses/Gone", "Gone"),
        ("other.yaml#/x", "other.yaml"),
        ("#/components/responses/Circle", "itself"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(reference: str, reason: str) -> None:
    document = {
        "paths": {"/a": {"$ref": reference}},
        "components": {
            "responses": {"Circle": {"x": {"$ref": "#/components/responses/Circle"}}},
        },
    }
    with pytest.raises(ValueError, match=reason):
        inlined(document)
