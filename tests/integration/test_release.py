"""Before and after a deployment, on the local engine: old versions, and what a deleted stack left."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.client.errors import CommandError
from cli.client.screen import Screen
from cli.release import prune
from cli.release.deploy import command
from cli.release.kept import kept_names
from cli.release.leftovers import leftovers_command
from cli.release.prune import prune_command
from devstack import environments
from devstack.engine import ACCOUNT, REGION, Engine, client_config, session
from devstack.paths import REPOSITORY
from devstack.processes import free_ports
from devstack.template import bootstrap_zip
from tests.support.waiting import until

pytestmark = pytest.mark.integration

FUNCTION = "vsl-homolog-get-status"
MACHINE = "vsl-homolog-media-job"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
GIVEN = {"Stage": "homolog", "CorsOrigins": "https://a.example"}

type Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    folder = tmp_path_factory.mktemp("engine")
    engine = Engine(folder / "engine", free_ports(1)[0], folder / "engine.log")
    engine.start()

    made = session()

    @cache
    def client(service: str) -> Any:
        return made.client(  # type: ignore[call-overload]
            service, endpoint_url=engine.url, config=client_config()
        )

    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "*"}, "Action": "sts:AssumeRole"}
        ],
    }
    client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(trust))
    try:
        yield client
    finally:
        engine.stop()


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


# --- old versions ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deployed(aws: Clients) -> Clients:
    """A stage of one function and one machine after six deployments, the last of them under way."""
    lambdas, states = aws("lambda"), aws("stepfunctions")
    lambdas.create_function(
        FunctionName=FUNCTION,
        Runtime="provided.al2023",
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": bootstrap_zip(built=False)},
    )
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(
        name=MACHINE, definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    for number in range(1, 7):
        lambdas.update_function_configuration(
            FunctionName=FUNCTION, Environment={"Variables": {"RELEASE": str(number)}}
        )
        lambdas.publish_version(FunctionName=FUNCTION)
        definition["Comment"] = str(number)
        states.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
        states.publish_state_machine_version(stateMachineArn=machine)
    lambdas.create_alias(
        FunctionName=FUNCTION,
        Name="live",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"6": 0.1}},
    )
    states.create_state_machine_alias(
        name="live",
        routingConfiguration=[
            {"stateMachineVersionArn": f"{machine}:2", "weight": 90},
            {"stateMachineVersionArn": f"{machine}:6", "weight": 10},
        ],
    )
    return aws


@pytest.fixture
def small_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "function_names", lambda _stage: [FUNCTION])
    monkeypatch.setattr(prune, "_MACHINES", ("MediaJobStateMachineArn",))


def stack(status: str) -> dict[str, Any]:
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINE}"
    outputs = [{"OutputKey": "MediaJobStateMachineArn", "OutputValue": machine}]
    return {"Stacks": [{"StackStatus": status, "Outputs": outputs}]}


class Stacks:
    def __init__(self, status: str) -> None:
        self.status = status

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "vsl-homolog"
        return stack(self.status)


def with_stack(aws: Clients, status: str = "UPDATE_COMPLETE") -> Clients:
    return lambda service: Stacks(status) if service == "cloudformation" else aws(service)


def versions(aws: Clients) -> tuple[list[int], list[int]]:
    """Of the function, of the machine."""
    found = aws("lambda").list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    machine = stack("")["Stacks"][0]["Outputs"][0]["OutputValue"]
    states = aws("stepfunctions").list_state_machine_versions(stateMachineArn=machine)
    return (
        sorted(int(each["Version"]) for each in found if each["Version"] != "$LATEST"),
        sorted(
            int(each["stateMachineVersionArn"].rpartition(":")[2])
            for each in states["stateMachineVersions"]
        ),
    )


@pytest.mark.usefixtures("small_stage")
def test_versions_that_no_alias_leads_to_go_but_for_the_newest(
    deployed: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    every = list(range(1, 7))
    clients = with_stack(deployed)
    prune_command("homolog", Screen(as_json=True), keep=3, dry_run=True, client=clients)
    expected = {FUNCTION: [1, 3], MACHINE: [1, 3]}
    assert answer(capsys) == {"stage": "homolog", "deleted": False, "versions": expected}
    assert versions(deployed) == (every, every), "a dry run deletes nothing"

    prune_command("homolog", Screen(as_json=True), keep=3, dry_run=False, client=clients)
    assert answer(capsys)["versions"] == expected
    assert versions(deployed) == ([2, 4, 5, 6], [2, 4, 5, 6])

    prune_command("homolog", Screen(as_json=True), keep=3, dry_run=False, client=clients)
    assert answer(capsys)["versions"] == {}, "its own repetition has nothing to do"


@pytest.mark.usefixtures("small_stage")
@pytest.mark.parametrize(
    "status",
    ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"],
)
def test_a_stack_that_may_yet_turn_back_is_left_alone(deployed: Clients, status: str) -> None:
    before = versions(deployed)
    with pytest.raises(CommandError) as caught:
        prune_command(
            "homolog", Screen(), keep=1, dry_run=False, client=with_stack(deployed, status)
        )
    assert caught.value.code == "StackUnsettled"
    assert versions(deployed) == before


def test_every_function_and_machine_of_the_template_is_pruned() -> None:
    names = prune.function_names("homolog")
    assert len(names) > 25
    assert all(name.startswith("vsl-homolog-") for name in names)
    assert prune._MACHINES == ("MediaJobStateMachineArn", "GenerateMediaStateMachineArn")


# --- leftovers -------------------------------------------------------------------------------


def table(aws: Clients, name: str) -> None:
    aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def left(aws: Clients) -> Iterator[dict[str, str]]:
    """The tables and the bucket, by logical name; one table and the bucket hold something."""
    names = {each.logical: each.name for each in kept_names(GIVEN, ACCOUNT, REGION)}
    for logical in ("JobsTable", "IdempotencyTable", "ApiKeysTable"):
        table(aws, names[logical])
    aws("s3").create_bucket(Bucket=names["MediaBucket"])
    aws("dynamodb").put_item(TableName=names["JobsTable"], Item={"id": {"S": "a job"}})
    aws("s3").put_object(Bucket=names["MediaBucket"], Key="media/one", Body=b"picture")
    yield names
    _forget(aws, names)


def _forget(aws: Clients, names: dict[str, str]) -> None:
    stacks = aws("cloudformation")
    stacks.delete_stack(StackName="vsl-homolog")
    aws("s3").delete_object(Bucket=names["MediaBucket"], Key="media/one")
    with suppress(ClientError):
        aws("s3").delete_bucket(Bucket=names["MediaBucket"])
    for name in aws("dynamodb").list_tables()["TableNames"]:
        aws("dynamodb").delete_table(TableName=name)


def run(aws: Clients, **options: bool) -> None:
    chosen = {"adopt": False, "remove_empty": False, **options}
    leftovers_command("homolog", Screen(as_json=True), parameters=GIVEN, client=aws, **chosen)


def done(found: dict[str, Any]) -> dict[str, str | None]:
    return {each["logicalId"]: each["done"] for each in found["leftovers"]}


def test_what_is_there_is_named_and_nothing_done(
    aws: Clients, left: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(aws)
    assert done(answer(capsys)) == dict.fromkeys(left)


def test_what_is_empty_is_removed_and_data_stays(
    aws: Clients, left: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(aws, remove_empty=True)
    assert done(answer(capsys)) == {
        "JobsTable": None,
        "IdempotencyTable": "removed",
        "ApiKeysTable": "removed",
        "MediaBucket": None,
    }
    assert aws("dynamodb").list_tables()["TableNames"] == [left["JobsTable"]]


def test_a_protected_table_is_not_removed(
    aws: Clients, left: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    tables = aws("dynamodb")
    name = left["IdempotencyTable"]
    tables.update_table(TableName=name, DeletionProtectionEnabled=True)
    run(aws, remove_empty=True)
    assert done(answer(capsys))["IdempotencyTable"] is None
    tables.update_table(TableName=name, DeletionProtectionEnabled=False)


def test_data_is_adopted_by_a_new_stack(
    aws: Clients, left: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(aws, adopt=True)
    assert done(answer(capsys)) == dict.fromkeys(left, "adopted")
    summaries = aws("cloudformation").list_stack_resources(StackName="vsl-homolog")
    owned = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in summaries["StackResourceSummaries"]
    }
    assert owned == left
    item = aws("dynamodb").get_item(TableName=left["JobsTable"], Key={"id": {"S": "a job"}})
    assert item["Item"] == {"id": {"S": "a job"}}
    with pytest.raises(CommandError) as caught:
        run(aws, adopt=True)
    assert caught.value.code == "StackExists"


def test_a_stack_that_is_there_has_no_leftovers(aws: Clients) -> None:
    stacks = aws("cloudformation")
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    stacks.create_stack(StackName="vsl-homolog", TemplateBody=json.dumps(body))
    try:
        until(
            lambda: stacks.describe_stacks(StackName="vsl-homolog")["Stacks"][0]["StackStatus"],
            lambda status: status == "CREATE_COMPLETE",
        )
        with pytest.raises(CommandError, match="CREATE_COMPLETE"):
            run(aws, remove_empty=True)
    finally:
        stacks.delete_stack(StackName="vsl-homolog")


# --- sam deploy ------------------------------------------------------------------------------


def test_sam_uploads_to_the_bucket_it_is_given(aws: Clients, tmp_path: Path) -> None:
    """A role that may not make SAM's own bucket; samconfig.toml says to make one."""
    environments.ensure(("sam",))
    aws("s3").create_bucket(Bucket="packages")
    tiny = tmp_path / "template.yaml"
    tiny.write_text("Resources: {Topic: {Type: AWS::SNS::Topic}}")
    own_files = ["--template-file", str(tiny), "--config-file", str(REPOSITORY / "samconfig.toml")]
    words = command("homolog", [], own_files, {"ARTIFACT_BUCKET": "packages"})
    (url,) = {aws("s3").meta.endpoint_url}
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test")
    own = {
        **keys,
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        words, cwd=REPOSITORY, env=own, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    try:
        stacks = aws("cloudformation").list_stacks()["StackSummaries"]
        made = {s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"}
        assert made == {"vsl-homolog"}, "and no aws-sam-cli-managed-default"
        uploaded = aws("s3").list_objects_v2(Bucket="packages")["Contents"]
        assert uploaded
        assert all(each["Key"].startswith("vsl-homolog/") for each in uploaded)
    finally:
        aws("cloudformation").delete_stack(StackName="vsl-homolog")
