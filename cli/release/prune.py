"""`vsl prune`: delete the versions of a stage's functions and machines that no alias leads to.

Each deployment publishes a version of every function, and CloudFormation keeps the old ones: a rollout
needs them to turn back. Lambda stores 75 GB of code in an account and region, Step Functions a
thousand versions of a machine; beyond them a deployment fails. The newest stay, so that an alias can
be moved back by hand. Layers need no pruning: their old versions go with the deployment that replaces
them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.client.errors import CommandError, Exit
from cli.client.screen import Screen
from cli.client.target import aws_client, aws_errors, valid_stage
from cli.release.account import Clients, ignored
from cli.release.template import StageTemplate
from devstack.template import FUNCTION

KEEP = 3
# In any other state CloudFormation may yet need a version that no alias leads to.
_SETTLED = {f"{what}_COMPLETE" for what in ("CREATE", "IMPORT", "UPDATE", "UPDATE_ROLLBACK")}
_MACHINES = ("MediaJobStateMachineArn", "GenerateMediaStateMachineArn")


@dataclass(frozen=True, slots=True)
class Version:
    """One to delete, of the function or machine `of`; `name` is what the service calls it by."""

    of: str
    number: int
    name: str


def prune_command(
    stage: str, screen: Screen, *, keep: int, dry_run: bool, client: Clients = aws_client
) -> None:
    """Raises CommandError."""
    old = prune(stage, keep=keep, dry_run=dry_run, client=client)
    numbers: dict[str, list[int]] = {}
    for each in old:
        numbers.setdefault(each.of, []).append(each.number)
    if screen.answer({"stage": stage, "deleted": not dry_run, "versions": numbers}):
        return
    for name, found in numbers.items():
        screen.line(f"{name}  {', '.join(map(str, sorted(found)))}")
    done = "would be deleted" if dry_run else "deleted"
    screen.say(f"{len(old)} old versions {done}." if old else "Nothing to do.")


def prune(
    stage: str, *, keep: int = KEEP, dry_run: bool = False, client: Clients = aws_client
) -> list[Version]:
    """What was deleted, or would be. Raises CommandError."""
    valid_stage(stage)
    with aws_errors("Old versions cannot be deleted"):
        old = list(old_versions(stage, _settled_outputs(stage, client), keep, client))
        for each in () if dry_run else old:
            _delete(each, client)
    return old


def old_versions(
    stage: str, outputs: dict[str, str], keep: int, client: Clients
) -> Iterator[Version]:
    """Those that no alias leads to, but for the newest `keep` of each function and machine."""
    for name in function_names(stage):
        yield from _of_function(name, keep, client("lambda"))
    for output in _MACHINES:
        yield from _of_machine(outputs[output], keep, client("stepfunctions"))


def function_names(stage: str) -> list[str]:
    template = StageTemplate({"Stage": stage})
    return [str(template.resolve(each["FunctionName"])) for each in template.of_type(FUNCTION)]


def _settled_outputs(stage: str, client: Clients) -> dict[str, str]:
    name = f"vsl-{stage}"
    (stack,) = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    if stack["StackStatus"] not in _SETTLED:
        message = f"The stack {name} is {stack['StackStatus']} and may yet turn back."
        raise CommandError("StackUnsettled", message, Exit.UNAVAILABLE, "Wait for its end.")
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}


def _of_function(name: str, keep: int, client: Any) -> Iterator[Version]:
    led_to: set[str] = set()
    for page in client.get_paginator("list_aliases").paginate(FunctionName=name):
        for alias in page["Aliases"]:
            led_to.add(alias["FunctionVersion"])
            led_to |= alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).keys()
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    numbers = [
        int(each["Version"])
        for page in pages
        for each in page["Versions"]
        if each["Version"] != "$LATEST"
    ]
    for number in sorted(numbers)[:-keep]:
        if str(number) not in led_to:
            yield Version(name, number, str(number))


def _of_machine(arn: str, keep: int, client: Any) -> Iterator[Version]:
    led_to: set[str] = set()
    for alias in _pages(client.list_state_machine_aliases, "stateMachineAliases", arn):
        found = client.describe_state_machine_alias(
            stateMachineAliasArn=alias["stateMachineAliasArn"]
        )
        led_to |= {each["stateMachineVersionArn"] for each in found["routingConfiguration"]}
    arns = [
        each["stateMachineVersionArn"]
        for each in _pages(client.list_state_machine_versions, "stateMachineVersions", arn)
    ]
    by_number = sorted((int(each.rpartition(":")[2]), each) for each in arns)
    for number, version in by_number[:-keep]:
        if version not in led_to:
            yield Version(arn.rpartition(":")[2], number, version)


def _pages(call: Callable[..., dict[str, Any]], key: str, arn: str) -> Iterator[dict[str, Any]]:
    """boto3 has no paginator for these."""
    more: dict[str, str] = {}
    while True:
        page = call(stateMachineArn=arn, **more)
        yield from page[key]
        if not page.get("nextToken"):
            return
        more = {"nextToken": page["nextToken"]}


def _delete(version: Version, client: Clients) -> None:
    """One that is gone already is gone."""
    with ignored("ResourceNotFoundException"):
        if version.name.startswith("arn:"):
            machines = client("stepfunctions")
            machines.delete_state_machine_version(stateMachineVersionArn=version.name)
        else:
            client("lambda").delete_function(FunctionName=version.of, Qualifier=version.name)
