"""Rights that the local stack does not see used: those of machines, schedules and the API.

What functions may do is compared with what they do (tests/e2e/test_permissions.py).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.paths import TEMPLATE
from devstack.template import load_template
from devstack.translate import translate
from tests.support.template import REPOSITORY, resource, template
from tests.support.wired import parts_of

MACHINES = {
    "MediaJobStateMachine": "media_job",
    "GenerateMediaStateMachine": "generate_media",
}
# The integrations that the machines use, and the right each needs.
RIGHTS = {
    "states:::lambda:invoke": "lambda:InvokeFunction",
    "states:::lambda:invoke.waitForTaskToken": "lambda:InvokeFunction",
    "states:::states:startExecution": "states:StartExecution",
    "states:::aws-sdk:sfn:startExecution": "states:StartExecution",
    "states:::aws-sdk:sfn:describeExecution": "states:DescribeExecution",
}
TARGETS = ("FunctionName", "StateMachineArn", "ExecutionArn")


def tasks(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("Type") == "Task":
            yield value
        for inner in value.values():
            yield from tasks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from tasks(inner)


def statements(policies: list[Any]) -> list[dict[str, Any]]:
    return [s for policy in policies for s in policy.get("Statement", ())]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_may_do_what_its_definition_does(name: str) -> None:
    """Each task's right at the task's own target, by the alias it is called by; and to write its log."""
    machine = resource(name)["Properties"]
    definition = json.loads((REPOSITORY / f"statemachines/{MACHINES[name]}.asl.json").read_text())
    needed = set()
    for task in tasks(definition):
        _, _, kind = task["Resource"].partition("${Partition}:")
        arguments = task.get("Parameters", task.get("Arguments", {}))
        (target,) = [arguments[key] for key in TARGETS if key in arguments]
        substitution = re.fullmatch(r"\$\{(\w+)\}", target)
        assert substitution, target
        given = machine["DefinitionSubstitutions"][substitution[1]]["Ref"]
        # Step Functions looks for the machine, whatever alias of it is started.
        right = RIGHTS[kind]
        needed.add(
            (right, given if right.startswith("lambda:") else given.removesuffix("Aliaslive"))
        )
    granted = {
        (action, where["Ref"] if isinstance(where, dict) else where)
        for statement in statements(machine["Policies"])
        for action in as_list(statement["Action"])
        for where in as_list(statement["Resource"])
    }
    assert {g for g in granted if not g[0].startswith("logs:")} == needed
    assert {where for action, where in granted if action.startswith("logs:")} == {"*"}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """As SAM makes them on AWS, each package at some address in S3."""
    built = load_template(TEMPLATE)
    for each in built["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & each.get("Properties", {}).keys():
            each["Properties"][name] = "s3://packages/one.zip"
    values = {n: str(d.get("Default", "")) for n, d in template()["Parameters"].items()}
    found: dict[str, Any] = translate(built, values)["Resources"]
    return found


SCHEDULES = {
    "PollPredictionsFunctionScheduleRole": ("PollPredictionsFunctionAliaslive", "FailedPollsQueue"),
    "RepairExecutionFunctionForgottenRole": (
        "RepairExecutionFunctionAliaslive",
        "FailedRepairsQueue",
    ),
}


def test_roles_that_sam_makes_hold_what_the_template_says(resources: dict[str, Any]) -> None:
    """A schedule calls its one function and puts aside what failed; nothing else has a role of SAM's
    making besides functions and machines."""
    roles = {
        name: r["Properties"] for name, r in resources.items() if r["Type"] == "AWS::IAM::Role"
    }
    plain = {
        f"{name}Role"
        for name, r in template()["Resources"].items()
        if r["Type"] in {"AWS::Serverless::Function", "AWS::Serverless::StateMachine"}
    }
    others = {name for name in roles if name not in plain}
    assert others == {
        *SCHEDULES,
        "ApiRole",
        "ApiAccountRole",
        "RolloutRole",
    }
    for role, (function, queue) in SCHEDULES.items():
        rights = {
            (action, json.dumps(statement["Resource"]))
            for policy in roles[role]["Policies"]
            for statement in as_list(policy["PolicyDocument"]["Statement"])
            for action in as_list(statement["Action"])
        }
        assert rights == {
            ("lambda:InvokeFunction", json.dumps({"Ref": function})),
            ("sqs:SendMessage", json.dumps({"Fn::GetAtt": [queue, "Arn"]})),
        }


@pytest.mark.parametrize(
    ("function", "queue"),
    [
        ("PollPredictionsFunction", "FailedPollsQueue"),
        ("RepairExecutionFunction", "FailedRepairsQueue"),
    ],
)
def test_what_failed_may_be_put_aside(resources: dict[str, Any], function: str, queue: str) -> None:
    """Lambda sends to the queue with the function's own role."""
    policies = resources[f"{function}Role"]["Properties"]["Policies"]
    sending = [
        statement["Resource"]
        for policy in policies
        for statement in as_list(policy["PolicyDocument"]["Statement"])
        if "sqs:SendMessage" in as_list(statement["Action"])
    ]
    assert {"Fn::GetAtt": [queue, "Arn"]} in sending


def test_the_api_may_start_the_door_and_nothing_else() -> None:
    (policy,) = resource("ApiRole")["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "states:StartSyncExecution",
        {"Ref": "GenerateMediaStateMachine"},
    )


def test_who_reads_the_catalogue_may_and_who_reads_no_secret_may_not() -> None:
    """By the factories that a function calls."""
    for name, function in template()["Resources"].items():
        if function["Type"] != "AWS::Serverless::Function":
            continue
        properties = function["Properties"]
        given = {p["Ref"] for p in properties.get("Policies", ()) if "Ref" in p}
        reads = "catalogue" in parts_of(Path(properties["CodeUri"]).name)
        assert ("ReadCataloguePolicy" in given) == reads, name
