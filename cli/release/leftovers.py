"""`vsl leftovers`: the data of a stage whose stack is gone, which would stop the next deployment.

Tables and bucket stay when a stack is deleted, and their names are fixed. A new stack can take them
over (CloudFormation imports them), or, where they are empty, they can go.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cli.client.errors import CommandError, Exit
from cli.client.screen import Screen
from cli.client.target import aws_client, aws_errors, valid_stage
from cli.release.account import Clients, stack_status
from cli.release.kept import NAMED_BY, Kept, kept_names, present
from cli.release.preflight import configured
from cli.release.template import StageTemplate
from devstack.paths import program

_CHANGE_SET = "adopt-leftovers"


def leftovers_command(
    stage: str,
    screen: Screen,
    *,
    adopt: bool,
    remove_empty: bool,
    parameters: Mapping[str, str] | None = None,
    client: Clients = aws_client,
) -> None:
    """`parameters` of the template are samconfig's unless given. Raises CommandError."""
    valid_stage(stage)
    if adopt and remove_empty:
        message = "--adopt keeps what --remove-empty would delete."
        raise CommandError("TwoWays", message, Exit.REFUSED, "Give one of them.")
    given = configured(stage) if parameters is None else parameters
    with aws_errors("What is left over cannot be seen to"):
        if status := stack_status(stage, client):
            message = f"The stack vsl-{stage} is there ({status}): its data is no leftover."
            raise CommandError("StackExists", message, Exit.REFUSED)
        account, region = _place(client)
        found = present(kept_names(given, account, region), client)
        done: list[Kept] = []
        if adopt and found:
            pseudo = {"AWS::AccountId": account, "AWS::Region": region}
            _adopt(stage, found, {**given, **pseudo}, client)
            done = found
        elif remove_empty:
            done = [each for each in found if _removed(each, client)]
    _tell(stage, found, done, screen, adopted=adopt)


def import_template(found: Sequence[Kept], values: Mapping[str, str]) -> dict[str, Any]:
    """A template with these resources alone, as the stage's own describes them.

    Without the transform, parameters and conditions of the whole: an import takes none of its other
    resources.
    """
    template = StageTemplate(values)
    resources = {
        each.logical: {
            "Type": each.kind,
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": template.resolve(template.resources[each.logical]["Properties"]),
        }
        for each in found
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def _place(client: Clients) -> tuple[str, str]:
    region = client("cloudformation").meta.region_name
    return str(client("sts").get_caller_identity()["Account"]), str(region)


def _adopt(stage: str, found: Sequence[Kept], values: Mapping[str, str], client: Clients) -> None:
    name, stacks = f"vsl-{stage}", client("cloudformation")
    stacks.create_change_set(
        StackName=name,
        ChangeSetName=_CHANGE_SET,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(import_template(found, values)),
        ResourcesToImport=[
            {
                "ResourceType": each.kind,
                "LogicalResourceId": each.logical,
                "ResourceIdentifier": {NAMED_BY[each.kind]: each.name},
            }
            for each in found
        ],
    )
    which = {"StackName": name, "ChangeSetName": _CHANGE_SET}
    quick = {"Delay": 2, "MaxAttempts": 150}
    stacks.get_waiter("change_set_create_complete").wait(**which, WaiterConfig=quick)
    stacks.execute_change_set(**which)
    stacks.get_waiter("stack_import_complete").wait(StackName=name, WaiterConfig=quick)


def _removed(kept: Kept, client: Clients) -> bool:
    """Whether it was empty; one with something in it, and a protected table, stays."""
    if kept.kind == "AWS::S3::Bucket":
        bucket = client("s3")
        if bucket.list_objects_v2(Bucket=kept.name, MaxKeys=1).get("KeyCount", 0):
            return False
        bucket.delete_bucket(Bucket=kept.name)
        return True
    table = client("dynamodb")
    described = table.describe_table(TableName=kept.name)["Table"]
    if described.get("DeletionProtectionEnabled"):
        return False
    if table.scan(TableName=kept.name, Limit=1, ConsistentRead=True)["Items"]:
        return False
    table.delete_table(TableName=kept.name)
    table.get_waiter("table_not_exists").wait(TableName=kept.name)
    return True


def _tell(
    stage: str, found: Sequence[Kept], done: Sequence[Kept], screen: Screen, *, adopted: bool
) -> None:
    word = "adopted" if adopted else "removed"
    rows = [
        {"logicalId": k.logical, "name": k.name, "done": word if k in done else None} for k in found
    ]
    if screen.answer({"stage": stage, "leftovers": rows}):
        return
    for each in found:
        screen.line(f"{each.name}  {word if each in done else 'is there'}")
    if not found:
        screen.say("Nothing is left over.")
    elif adopted:
        screen.say(f"`{program()} deploy --stage {stage}` makes the rest of the stack around it.")
    elif len(done) < len(found):
        screen.say("--adopt gives what has data to the next stack; --remove-empty takes the rest.")
