"""The API document as API Gateway imports it: what `make build` finished, resolved."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.deployed import resolved, transformed

AUTHS = [
    {},
    {"ApiAuth": "IAM"},
    {"ApiAuth": "KEYS"},
    {"ApiAuth": "COGNITO", "CognitoUserPoolArn": "arn:pool"},
]
METHOD_HEADER = "method.response.header."


@pytest.fixture(scope="module", params=AUTHS, ids=["key", "iam", "keys", "cognito"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = resolved(transformed(request.param), request.param)
    body: dict[str, Any] = found["Api"]["Properties"]["Body"]
    return body


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield f"{verb} {path}", operation


def test_it_refers_to_schemas_alone(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert len(found) > 5
    assert {each for each in found if not each.startswith("#/components/schemas/")} == set()
    for each in found:
        assert each.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    assert document["components"].keys() == {"schemas", "securitySchemes"}


def test_every_header_that_is_mapped_is_declared_where_it_is(document: dict[str, Any]) -> None:
    """Otherwise the import fails with "Invalid mapping expression parameter"."""
    mapped = 0
    for name, operation in operations(document):
        responses = operation["x-amazon-apigateway-integration"].get("responses", {})
        for response in responses.values():
            declared = operation["responses"][response["statusCode"]].get("headers", {})
            for key in response.get("responseParameters", {}):
                assert key.removeprefix(METHOD_HEADER) in declared, f"{name}: {key}"
                mapped += 1
    assert mapped > 40


def test_every_status_that_an_integration_gives_is_a_response_of_the_method(
    document: dict[str, Any],
) -> None:
    for name, operation in operations(document):
        responses = operation["x-amazon-apigateway-integration"].get("responses", {})
        for response in responses.values():
            assert response["statusCode"] in operation["responses"], name


def test_nothing_of_cloudformation_is_left(document: dict[str, Any]) -> None:
    assert not re.search(r"'(Fn::\w+|Ref)'", str(document))
