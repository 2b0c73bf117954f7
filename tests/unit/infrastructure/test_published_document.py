"""What GET /openapi.json hands out is api/openapi.yaml without what is API Gateway's alone."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from devstack.publish import BODIES, MODEL, PUBLISHED, SOURCE, published, text
from vsl.services.api.describe_api import SCHEMES, DescribeApi

URL = "https://api.example.com/homolog"
OPEN = {"get /openapi.json", "get /docs", "get /docs/{file}"}


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return loaded


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_the_published_document_is_up_to_date() -> None:
    current = text(published(yaml.safe_load(SOURCE.read_text())))
    assert PUBLISHED.read_text() == current, "run `make openapi` and commit what it writes"


def test_nothing_of_aws_is_left_in_it() -> None:
    names = set(keys(document()))
    assert not {name for name in names if name.startswith(("x-amazon", "Fn::")) or name == "Ref"}
    assert "options" not in names
    assert "arn:" not in PUBLISHED.read_text()


@pytest.mark.parametrize("auth", [*SCHEMES, "NONE"])
def test_it_is_valid_and_asks_what_the_deployment_asks(auth: str) -> None:
    source = document()
    before = copy.deepcopy(source)
    described = DescribeApi(source, auth)(URL)
    assert source == before, "the document is read once a process"
    validate(json.loads(json.dumps(described)))
    assert described["servers"] == [{"url": URL}]
    asking = {
        f"{verb} {path}"
        for path, item in described["paths"].items()
        for verb, operation in item.items()
        if operation["security"]
    }
    if auth == "NONE":
        assert not asking
        assert "securitySchemes" not in described["components"]
    else:
        everything = {
            f"{verb} {path}" for path, item in described["paths"].items() for verb in item
        }
        assert {"post /webhook/replicate", *OPEN} <= everything - asking
        assert {"post /generate-media", "get /jobs", "delete /jobs/{jobId}"} <= asking
        assert described["components"]["securitySchemes"] == {"Caller": SCHEMES[auth]}


@pytest.mark.parametrize("auth", [*SCHEMES, "NONE"])
def test_examples_are_requests_that_their_schemas_allow(auth: str) -> None:
    described = DescribeApi(document(), auth)(URL)
    found = 0
    for item in described["paths"].values():
        for operation in item.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                if "example" in media:
                    schema = {**media["schema"], "components": described["components"]}
                    Draft202012Validator(schema).validate(media["example"])
                    found += 1
    assert found == len(BODIES)


def test_an_example_names_the_user_where_no_token_does() -> None:
    for auth in (*SCHEMES, "NONE"):
        described = DescribeApi(document(), auth)(URL)
        for path in ("/generate-media", "/uploads"):
            (media,) = described["paths"][path]["post"]["requestBody"]["content"].values()
            assert ("userId" in media["example"]) == (auth != "COGNITO")


def test_samples_begin_with_a_model_of_the_catalogue() -> None:
    models = json.loads((SOURCE.parent.parent / "config" / "models.json").read_text())
    assert MODEL in json.dumps(models)
    (model_id,) = document()["paths"]["/models/{modelId}"]["get"]["parameters"][:1]
    assert model_id["example"] == MODEL
