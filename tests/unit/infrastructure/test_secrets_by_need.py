"""A role reads the parameters that its function uses: the template is compared with the code.

A function uses what the factories of `vsl.runtime` read that its app.py calls, directly or not.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployed import ACCOUNT, REGION, WITH, of_type, resolved, transformed
from tests.support.template import REPOSITORY, template
from tests.support.wired import FOLDERS, parts_of

CORE = REPOSITORY / "layers/core"
READS = {"get", "find", "secret"}
KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/secrets"
WRITTEN_BY_THE_STACK = {"api-url", "media-delivery"}
PATH = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/vsl/production/"


def function_of(folder: str) -> str:
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def is_parameters(node: ast.AST) -> bool:
    """`parameters()` or `wiring.parameters()`."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
    return name == "parameters" or (isinstance(name, ast.Name) and name.id == "parameters")


def read_in(node: ast.AST) -> Iterator[str]:
    """Parameters by name: `parameters().secret("x")`, and what is given all of them reads."""
    modules = {
        alias.name: inner.module
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom) and inner.module
        for alias in inner.names
    }
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Call):
            continue
        if isinstance(inner.func, ast.Attribute) and is_parameters(inner.func.value):
            assert inner.func.attr in READS, ast.unparse(inner)
            (name,) = inner.args
            assert isinstance(name, ast.Constant), ast.unparse(inner)
            yield str(name.value)
        elif any(is_parameters(given) for given in inner.args):
            assert isinstance(inner.func, ast.Name), ast.unparse(inner)
            yield from _named_in(CORE / (modules[inner.func.id].replace(".", "/") + ".py"))


def _named_in(path: Path) -> Iterator[str]:
    """A module that is given the parameters asks for those of its constant."""
    text = path.read_text()
    asked = set(re.findall(r"self\._parameters\.(?:find|get|secret)\(([^)]*)\)", text))
    assert asked == {"PARAMETER"}, path
    yield re.findall(r'^PARAMETER = "([a-z-]+)"', text, re.MULTILINE)[0]


def used_by(folder: str) -> set[str]:
    return {name for part in parts_of(folder).values() for name in read_in(part)}


@cache
def resources() -> dict[str, Any]:
    chosen = {"SecretsKeyArn": KEY_ARN, "MediaDelivery": "cloudfront", **WITH["MediaDelivery"]}
    return resolved(transformed(chosen), chosen)


def statements(function: str) -> Iterator[dict[str, Any]]:
    role = resources()[f"{function}Role"]["Properties"]
    for each in role.get("Policies", ()):
        yield from each["PolicyDocument"]["Statement"]
    for each in role["ManagedPolicyArns"]:
        if each.startswith("<"):
            yield from resources()[each.strip("<>")]["Properties"]["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def readable_by(function: str) -> set[str]:
    return {
        resource.removeprefix(PATH)
        for statement in statements(function)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if action.startswith("ssm:") and not resource.endswith("/models*")
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_role_reads_its_functions_secrets(folder: str) -> None:
    """And no others."""
    assert readable_by(function_of(folder)) == used_by(folder)


def test_the_derivation_sees_what_is_plain() -> None:
    """So that the comparison above compares something."""
    assert used_by("get_webhook_secret") == {"callback-signing-secret"}
    assert used_by("list_models") == set()
    assert used_by("resolve_timeout") == {"replicate-token"}
    assert used_by("submit_prediction") == {"api-url", "owner-name-secret", "replicate-token"}
    assert "replicate-webhook-secret" in used_by("process_webhook")
    readers = [folder for folder in FOLDERS if used_by(folder)]
    assert 10 < len(readers) < len(FOLDERS)


def test_no_role_reads_all_of_them() -> None:
    everything = set().union(*(used_by(folder) for folder in FOLDERS))
    assert len(everything) >= 6
    for folder in FOLDERS:
        assert readable_by(function_of(folder)) < everything
        assert all("*" not in name for name in readable_by(function_of(folder)))


def test_parameters_are_asked_for_by_name() -> None:
    """By path all would come that stand below it, and the right could not be narrowed."""
    actions = {
        action
        for folder in FOLDERS
        for statement in statements(function_of(folder))
        for action in listed(statement["Action"])
        if action.startswith("ssm:")
    }
    assert actions == {"ssm:GetParameters", "ssm:GetParameter"}


def test_a_key_of_ones_own_opens_these_parameters_alone() -> None:
    """The context of a SecureString's encryption is its ARN."""
    for folder in FOLDERS:
        opened = {
            statement["Condition"]["StringEquals"]["kms:EncryptionContext:PARAMETER_ARN"]
            for statement in statements(function_of(folder))
            if statement["Action"] == "kms:Decrypt"
        }
        secrets = {PATH + name for name in used_by(folder) - WRITTEN_BY_THE_STACK}
        assert opened == secrets, folder
        for statement in statements(function_of(folder)):
            if statement["Action"] == "kms:Decrypt":
                assert statement["Resource"] == KEY_ARN
                service = statement["Condition"]["StringEquals"]["kms:ViaService"]
                assert service == f"ssm.{REGION}.amazonaws.com"


def test_a_role_holds_no_more_policies_than_it_may() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    for name, role in of_type(resources(), "AWS::IAM::Role").items():
        assert len(role["Properties"].get("ManagedPolicyArns", ())) <= 10, name


def test_the_documented_parameters_are_those_that_are_read() -> None:
    text = (REPOSITORY / "docs/deploy.md").read_text()
    table = text.split("| parameter below")[1].split("\n\n")[0]
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    assert documented == set().union(*(used_by(folder) for folder in FOLDERS))
    written = [
        each["Properties"]["Name"]["Fn::Sub"]
        for each in template()["Resources"].values()
        if each["Type"] == "AWS::SSM::Parameter"
    ]
    assert set(written) == {f"/vsl/${{Stage}}/{name}" for name in WRITTEN_BY_THE_STACK}


def test_the_key_of_a_distribution_is_read_where_there_is_one_alone() -> None:
    without = resolved(transformed())
    for folder in FOLDERS:
        attached = without[f"{function_of(folder)}Role"]["Properties"]["ManagedPolicyArns"]
        assert "<ReadMediaKeyPolicy>" not in attached
    signing = {
        folder for folder in FOLDERS if "media-private-key" in readable_by(function_of(folder))
    }
    assert {"get_status", "list_jobs", "replicate_api"} < signing
    assert not signing & {"store_media", "process_webhook", "create_upload"}
