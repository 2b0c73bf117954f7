"""The deployment after the first: every function gets a version of its own, and the API its new stage.

SAM names a version after all properties of its function; Lambda refuses to publish one whose code
and configuration are those of the version before, and does not count tags or reserves among them.
"""

import re
from datetime import timedelta
from typing import Any

import pytest

from devstack.paths import REPOSITORY
from tests.support.deployed import BUILT_AT, Template, of_type, resolved, transformed

LATER = BUILT_AT + timedelta(minutes=1)
# What a version keeps of its function: the rest can change without one.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
VERSION_LOCKED = {
    "Architectures",
    "Code",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
}
NOT_LOCKED = {"FunctionName", "Tags", "ReservedConcurrentExecutions"}


def locked(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in each["Properties"].items() if k in VERSION_LOCKED}
        for name, each in of_type(resources, "AWS::Lambda::Function").items()
    }


def versions(template: Template) -> dict[str, str]:
    """Logical id of each function's version."""
    found = of_type(template["Resources"], "AWS::Lambda::Version")
    return {each["Properties"]["FunctionName"]["Ref"]: name for name, each in found.items()}


def test_this_file_knows_every_property_of_a_function() -> None:
    for each in of_type(transformed()["Resources"], "AWS::Lambda::Function").values():
        assert each["Properties"].keys() <= VERSION_LOCKED | NOT_LOCKED


def test_two_builds_differ_in_what_a_version_locks() -> None:
    first, second = transformed(), transformed(at=LATER)
    before, after = locked(first["Resources"]), locked(second["Resources"])
    assert len(before) > 20
    assert [name for name in before if before[name] == after[name]] == []
    assert not set(versions(first).values()) & set(versions(second).values())


def test_one_build_deployed_twice_asks_for_no_new_version() -> None:
    assert versions(transformed()) == versions(transformed())
    assert versions(transformed({"RateLimitPerHour": "7"})) == versions(transformed())


def test_a_version_that_a_failed_deployment_made_does_not_stop_the_next() -> None:
    """It stays behind, so the same build cannot publish again: `make deploy` builds anew each time."""
    text = (REPOSITORY / "Makefile").read_text()
    (needs,) = re.findall(r"^deploy: ([a-z ]+) ##", text, re.MULTILINE)
    assert "build" in needs.split()


def deployment(template: Template) -> str:
    """Logical id of the API's deployment, which its one stage serves."""
    (name,) = of_type(template["Resources"], "AWS::ApiGateway::Deployment")
    (stage,) = of_type(template["Resources"], "AWS::ApiGateway::Stage").values()
    assert stage["Properties"]["DeploymentId"] == {"Ref": name}
    return name


def body(template: Template, parameters: dict[str, str]) -> Any:
    return resolved(template, parameters)["Api"]["Properties"]["Body"]


BODIES: list[dict[str, str]] = [
    {},
    {"ApiAuth": "IAM"},
    {"ApiAuth": "KEYS"},
    {"ApiAuth": "COGNITO", "CognitoUserPoolArn": "arn:pool"},
    {"CorsOrigins": "https://a.example"},
    {"CorsOrigins": "https://a.example,https://b.example"},
]


def test_the_parameters_make_different_bodies() -> None:
    template = transformed()
    found = [str(body(template, parameters)) for parameters in BODIES]
    assert len(set(found)) == len(BODIES)


@pytest.mark.parametrize("parameters", BODIES)
def test_what_the_stage_serves_is_the_body_of_this_deployment(
    parameters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API's deployment is a copy of its body when it was made. SAM would name it after the body
    before parameters are put in, so a new value would never be served."""
    names = []
    for seconds in (0, 1):
        monkeypatch.setattr("time.time", lambda at=1_800_000_000.5 + seconds: at)
        names.append(deployment(transformed(parameters)))
    assert len(set(names)) == 2


def test_the_api_is_changed_before_its_deployment_is_made() -> None:
    template = transformed()
    made = template["Resources"][deployment(template)]
    assert made["Properties"]["RestApiId"] == {"Ref": "Api"}
