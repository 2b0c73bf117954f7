"""What GET /openapi.json hands out is api/openapi.yaml without what is API Gateway's alone."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from devstack.publish import CODES, PROBLEMS, PUBLISHED, REFERENCE, SOURCE, written
from devstack.template import load_yaml
from vsl.domain.errors import PROBLEM_TYPES, error_classes
from vsl.services.api.describe_api import SCHEMES, DescribeApi

URL = "https://api.example.com/homolog"
OPEN = {"get /openapi.json"}
MODEL = "flux-schnell"
JSON = "application/json"
PROBLEM = "application/problem+json"


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


@pytest.mark.parametrize("path", sorted(written()), ids=lambda path: path.name)
def test_what_is_made_is_up_to_date(path: Path) -> None:
    assert path.read_text() == written()[path], "run `make openapi` and commit what it writes"


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
        everything = {name for name, _ in operations(described)}
        assert {"post /webhook/replicate", *OPEN} <= everything - asking
        assert {"post /generate-media", "get /jobs", "delete /jobs/{jobId}"} <= asking
        assert described["components"]["securitySchemes"] == {"Caller": SCHEMES[auth]}


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for verb, operation in item.items():
            yield f"{verb} {path}", operation


def check(example: Any, schema: dict[str, Any], described: dict[str, Any]) -> None:
    whole = {**schema, "components": described["components"]}
    OAS30Validator(whole, format_checker=OAS30Validator.FORMAT_CHECKER).validate(example)


@pytest.mark.parametrize("auth", [*SCHEMES, "NONE"])
def test_every_body_has_an_example_that_its_schema_allows(auth: str) -> None:
    described = DescribeApi(document(), auth)(URL)
    for name, operation in operations(described):
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for body in bodies.values():
            for kind, media in body.get("content", {}).items():
                if kind == JSON:
                    assert "example" in media, name
                    check(media["example"], media["schema"], described)
                elif kind == PROBLEM:
                    assert media["examples"], name


def test_examples_of_problems_are_what_their_code_and_the_schema_say() -> None:
    described = document()
    examples = described["components"]["examples"]
    used: set[str] = set()
    for name, operation in operations(described):
        for status, response in operation["responses"].items():
            for example in response.get("content", {}).get(PROBLEM, {}).get("examples", {}):
                used.add(example)
                assert examples[example]["value"]["status"] == int(status), (name, example)
    assert used == set(examples)
    for name, each in examples.items():
        problem = each["value"]
        check(problem, {"$ref": "#/components/schemas/Problem"}, described)
        assert problem["type"] == PROBLEM_TYPES + problem["code"]
        known = described["components"]["schemas"]["Problem"]["properties"]
        assert set(problem) <= set(known), name


def test_an_object_says_what_is_in_it() -> None:
    """Generators make a type without any members of one that does not."""

    def look(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            if value.get("type") == "object" and not {
                "properties",
                "additionalProperties",
                "allOf",
            } & set(value):
                yield path
            for name, inner in value.items():
                if name not in {"example", "examples"}:
                    yield from look(inner, f"{path}/{name}")
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from look(inner, f"{path}/{index}")

    assert list(look(document(), "")) == []
    for schema in ("GenerateRequest", "EstimateRequest"):
        parameters = document()["components"]["schemas"][schema]["properties"]["parameters"]
        assert parameters["additionalProperties"] is True


@pytest.mark.parametrize("schema", ["GenerateRequest", "EstimateRequest", "UploadRequest"])
def test_no_member_of_a_request_has_a_default(schema: str) -> None:
    """openapi-typescript takes one that has for one that is always there."""
    for name, told in document()["components"]["schemas"][schema]["properties"].items():
        assert "default" not in told, name


def test_everything_has_a_name_and_a_description() -> None:
    described = document()
    tags = {each["name"] for each in described["tags"]}
    ids = [operation["operationId"] for _, operation in operations(described)]
    assert len(ids) == len(set(ids))
    for name, operation in operations(described):
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], f"{name} {parameter['name']}"


def test_a_problem_leads_to_a_page_that_explains_it() -> None:
    route, _, anchor = PROBLEM_TYPES.partition("#")
    assert (route, anchor) == (f"/docs/{PROBLEMS.name}", "")
    anchors = set(re.findall(r'<section id="(\w+)">', PROBLEMS.read_text()))
    for source in (SOURCE, SOURCE.parent.parent / "statemachines/generate_media.asl.json"):
        text = source.read_text()
        assert "about:blank" not in text
        for found, code in re.findall(
            re.escape(PROBLEM_TYPES) + r'(\w+)\\?".*?code\\?":\\?"(\w+)', text, re.DOTALL
        ):
            assert found == code
            assert code in anchors
    shown = load_yaml(CODES)
    assert set(shown["refusals"]) | set(shown["failures"]) <= anchors
    hidden = {"ResubmitPrediction", "SlotUnavailable"}
    assert anchors >= set(error_classes()) - hidden


def test_it_asks_for_a_user_where_the_service_does() -> None:
    described = DescribeApi(document(), "API_KEY")(URL)
    required = {
        name
        for name, operation in operations(described)
        for each in operation.get("parameters", ())
        if each["name"] == "userId" and each["required"]
    }
    assert required == {"get /budget", "get /webhook-secret"}, (
        "those whose function requires a user"
    )
    functions = SOURCE.parent.parent / "functions"
    for name in ("get_budget", "get_webhook_secret"):
        read = (functions / name / "app.py").read_text()
        use_case = SOURCE.parent.parent / f"layers/core/vsl/services/callbacks/{name}.py"
        assert "require_user()" in read + (use_case.read_text() if use_case.exists() else "")


def test_reference_names_operations_that_are_there() -> None:
    named = set(load_yaml(REFERENCE)["operations"])
    assert named == {operation["operationId"] for _, operation in operations(document())}


def test_an_example_names_the_user_where_no_credential_does() -> None:
    for auth in (*SCHEMES, "NONE"):
        described = DescribeApi(document(), auth)(URL)
        for path in ("/generate-media", "/uploads"):
            (media,) = described["paths"][path]["post"]["requestBody"]["content"].values()
            assert ("userId" in media["example"]) == (auth not in {"COGNITO", "KEYS"})


def test_samples_begin_with_a_model_of_the_catalogue() -> None:
    models = json.loads((SOURCE.parent.parent / "config" / "models.json").read_text())
    assert MODEL in json.dumps(models)
    (model_id,) = document()["paths"]["/models/{modelId}"]["get"]["parameters"][:1]
    assert model_id["example"] == MODEL
