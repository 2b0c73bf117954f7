"""What each function of a running stack may do, and what it has been seen to do."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.support.stack import Stack


@dataclass(frozen=True, order=True)
class Grant:
    """One action at one resource (a pattern), by the role of one function (its resource name)."""

    function: str
    action: str
    resource: str


@dataclass(frozen=True)
class Call:
    """What a function asked for, as the engine's own process wrote it down."""

    function: str
    action: str
    resource: str
    allowed: bool

    def uses(self, grant: Grant) -> bool:
        return (
            (self.function, self.action) == (grant.function, grant.action)
            # An action on an object and one on its bucket differ by the slash.
            and fnmatchcase(self.resource, grant.resource)
        )


@dataclass(frozen=True)
class Role:
    """`ready_made` are AWS's own policies, by name."""

    statements: list[Mapping[str, Any]]
    ready_made: set[str]

    def grants(self, function: str) -> Iterator[Grant]:
        for statement in self.statements:
            if statement["Effect"] == "Deny":
                continue
            for action in _list(statement["Action"]):
                for resource in _list(statement["Resource"]):
                    yield Grant(function, action, resource)


def roles(stack: Stack) -> dict[str, Role]:
    """The role of every function by its resource name, as deployed."""
    lambdas = stack.client("lambda")
    return {
        name: role(
            stack,
            lambdas.get_function_configuration(FunctionName=physical)["Role"].rpartition("/")[2],
        )
        for name, physical in stack.document["functions"].items()
    }


def role(stack: Stack, name: str) -> Role:
    iam = stack.client("iam")
    statements: list[Mapping[str, Any]] = []
    ready_made: set[str] = set()
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        found = iam.get_role_policy(RoleName=name, PolicyName=policy)
        statements += _list(found["PolicyDocument"]["Statement"])
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        if policy["PolicyArn"].startswith("arn:aws:iam::aws:policy/"):
            ready_made.add(policy["PolicyName"])
            continue
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
        statements += _list(found["PolicyVersion"]["Document"]["Statement"])
    return Role(statements, ready_made)


def calls(stack: Stack) -> list[Call]:
    """All since the stack was started, each once."""
    names = {physical: name for name, physical in stack.document["functions"].items()}
    lines = (Path(stack.document["state"]) / "calls.jsonl").read_text().splitlines()
    return [
        Call(**{**call, "function": names[call["function"]]}) for call in map(json.loads, lines)
    ]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
