"""What the local stack relies on in the AWS engine, each by itself: an upgrade shows here first.

Where the engine differs from AWS the test says so; the product must work with both.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from botocore import auth, signers
from botocore.config import Config
from botocore.exceptions import ClientError

from devstack.engine import Engine, client_config, session
from devstack.hosting.places import Limits
from devstack.paths import python_of
from devstack.processes import free_ports, start_time
from devstack.template import bootstrap_zip
from tests.support import web
from tests.support.machines import MACHINE_NAMES
from tests.support.waiting import until
from tests.unit.statemachines.graph import function_tasks
from vsl.adapters.aws import clients
from vsl.adapters.s3.uploads import S3Uploads
from vsl.domain.catalogue.uploads import UploadRequest
from vsl.domain.jobs.ids import new_job_id

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::000000000000:role/any"
ANYBODY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
APP = """
import os, time, boto3

class ProviderThrottled(Exception):
    pass

pid = os.getpid()

def handler(event, context):
    do = event.get("do")
    if do == "raise":
        raise ProviderThrottled("slow down")
    if do == "exit":
        os._exit(7)
    if do == "sleep":
        time.sleep(30)
    if do == "work":
        time.sleep(1.2)
    if do == "print":
        print("one\\ntwo")
    if do == "status":
        return open("/proc/self/status").read()
    if do == "env":
        return sorted(os.environ)
    if do == "read":
        boto3.client("dynamodb").get_item(TableName=event["table"], Key={"id": {"S": "x"}})
    if do == "answer-early":
        boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output='{"early": 1}')
        time.sleep(0.3)
    return {"pid": pid, "event": event}
"""


class Aws:
    """Clients of one engine."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str) -> Any:
        with self._lock:
            if service not in self._made:
                config = client_config().merge(
                    Config(signature_version="v4" if service != "s3" else "s3v4")
                )
                self._made[service] = session().client(
                    service,  # type: ignore[call-overload]  # the stubs list names as literals
                    endpoint_url=self.url,
                    config=config,
                )
            return self._made[service]

    def close(self) -> None:
        for client in self._made.values():
            client.close()

    def run(self, definition: dict[str, Any], given: object) -> dict[str, Any]:
        """Run a Standard machine to its end."""
        states = self("stepfunctions")
        arn = states.create_state_machine(
            name=f"m{time.monotonic_ns()}", definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]
        execution = states.start_execution(stateMachineArn=arn, input=json.dumps(given))
        return until(
            lambda: cast(
                "dict[str, Any]", states.describe_execution(executionArn=execution["executionArn"])
            ),
            lambda found: found["status"] != "RUNNING",
        )


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    folder = tmp_path_factory.mktemp("engine")
    engine = Engine(folder / "engine", free_ports(1)[0], folder / "engine.log")
    engine.start()
    aws = Aws(engine.url)
    aws("iam").create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(ANYBODY))
    allow("any", aws, ["states:*", "dynamodb:GetItem"], "*")
    try:
        yield aws
    finally:
        aws.close()
        engine.stop()


def allow(role: str, aws: Aws, actions: list[str], resource: str) -> None:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    aws("iam").put_role_policy(
        RoleName=role, PolicyName="only", PolicyDocument=json.dumps(document)
    )


@pytest.fixture(scope="module")
def probe(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A function as the local stack deploys functions."""
    folder = tmp_path_factory.mktemp("function")
    (folder / "app.py").write_text(APP)
    _deploy(aws, "probe", folder)
    return "probe"


def _deploy(aws: Aws, name: str, folder: Path, **settings: str) -> None:
    aws("lambda").create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="app.handler",
        Role=ROLE,
        Timeout=2,
        Code={"ZipFile": bootstrap_zip(built=False)},
        Environment={
            "Variables": {
                "VSL_FUNCTION_FOLDER": str(folder),
                "VSL_LIVE_ROOTS": str(folder),
                "AWS_ENDPOINT_URL": aws.url,
                **settings,
            }
        },
    )


@pytest.fixture(scope="module")
def invoke(aws: Aws, probe: str) -> Callable[..., Any]:
    def call(**event: object) -> Any:
        answer = aws("lambda").invoke(FunctionName=probe, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    return call


def task(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A machine of one task; what it catches ends up under `error`."""
    state = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": parameters,
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}],
        "Next": "Done",
        **more,
    }
    return {
        "StartAt": "Work",
        "States": {
            "Work": state,
            "Done": {"Type": "Succeed"},
            "Caught": {"Type": "Pass", "End": True},
        },
    }


def test_an_exceptions_class_name_is_what_retry_and_catch_match(aws: Aws, probe: str) -> None:
    machine = task(
        "lambda:invoke",
        {"FunctionName": probe, "Payload": {"do": "raise"}},
        Retry=[{"ErrorEquals": ["ProviderThrottled"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": ["ProviderThrottled"], "ResultPath": "$.error", "Next": "Caught"}],
    )
    began = time.monotonic()
    ended = aws.run(machine, {})
    error = json.loads(ended["output"])["error"]
    assert error["Error"] == "ProviderThrottled"
    cause = json.loads(error["Cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("ProviderThrottled", "slow down")
    assert time.monotonic() - began > 1, "the retry waited"


def test_a_worker_survives_an_exception(invoke: Callable[..., Any]) -> None:
    before = invoke()["pid"]
    assert invoke(do="raise")["errorType"] == "ProviderThrottled"
    assert invoke()["pid"] == before


def test_crash_and_timeout_have_the_names_aws_gives_them(invoke: Callable[..., Any]) -> None:
    before = invoke()["pid"]
    assert invoke(do="exit")["errorType"] == "Runtime.ExitError"
    assert invoke(do="sleep")["errorType"] == "Sandbox.Timedout"
    after = invoke()["pid"]
    assert after != before
    assert start_time(before) is None


@pytest.mark.parametrize(
    ("source", "name", "retried_by"),
    [
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
            "Runtime.ExitError",
            MACHINE_NAMES,
        ),
        ("import time\ntime.sleep(60)", "Sandbox.Timedout", ("media_job",)),
        ("import nowhere_to_be_found", "Runtime.ImportModuleError", ()),
        ("def handler(", "Runtime.UserCodeSyntaxError", ()),
    ],
)
def test_a_start_that_fails_has_the_name_aws_gives_it(
    aws: Aws, tmp_path: Path, source: str, name: str, retried_by: tuple[str, ...]
) -> None:
    """One kill must not fail a job at once, and what cannot be imported is no better the next time."""
    (tmp_path / "app.py").write_text(source)
    function = f"stillborn-{name.partition('.')[2]}"
    _deploy(aws, function, tmp_path)
    machine = task("lambda:invoke", {"FunctionName": function, "Payload": {}})
    error = json.loads(aws.run(machine, {})["output"])["error"]
    assert error["Error"] == name
    for each in MACHINE_NAMES:
        for state in function_tasks(each).values():
            retried = {known for retrier in state["Retry"] for known in retrier["ErrorEquals"]}
            assert (name in retried) is (each in retried_by)


def test_functions_see_a_clean_environment(
    invoke: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine hands its own environment on: it is started without the caller's."""
    names = set(invoke(do="env"))
    assert {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"} <= names
    assert not names & {"PYTEST_CURRENT_TEST", "VIRTUAL_ENV", "AWS_PROFILE", "PIP_INDEX_URL"}


def test_a_function_may_do_what_its_role_says_and_no_more(
    aws: Aws, invoke: Callable[..., Any]
) -> None:
    def refusal(table: str) -> str:
        return str(invoke(do="read", table=table).get("errorType", ""))

    assert refusal("mine") == "ResourceNotFoundException", "allowed; there is no such table"
    allow("any", aws, ["dynamodb:GetItem"], "arn:aws:dynamodb:us-east-1:000000000000:table/mine")
    try:
        assert refusal("mine") == "ResourceNotFoundException"
        assert "AccessDenied" in invoke(do="read", table="yours")["errorMessage"]
    finally:
        allow("any", aws, ["states:*", "dynamodb:GetItem"], "*")


def test_nobody_calls_without_a_signature(aws: Aws) -> None:
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}
    answer = web.post(aws.url, headers=headers, content=b"{}")
    assert answer.status_code in {400, 403}


def test_calls_beyond_the_bound_wait_and_their_time_does_not_run(
    invoke: Callable[..., Any],
) -> None:
    """Eight calls of 1.2 s by a function that has 2 s: with their time running, half would fail."""
    most = Limits().each
    with ThreadPoolExecutor(4 * most) as pool:
        answers = list(pool.map(lambda _: invoke(do="work"), range(4 * most)))
    assert len({answer["pid"] for answer in answers}) == most


def test_another_function_runs_while_calls_of_one_wait(
    aws: Aws, invoke: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return event")
    _deploy(aws, "other", tmp_path)
    ended: list[str] = []

    def slow(_: int) -> None:
        assert invoke(do="sleep")["errorType"] == "Sandbox.Timedout"
        ended.append("slow")

    with ThreadPoolExecutor(20) as pool:
        waiting = pool.map(slow, range(2 * Limits().each))
        answer = aws("lambda").invoke(FunctionName="other", Payload=b"{}")
        ended.append(f"other {answer['StatusCode']}")
        list(waiting)
    assert ended.index("other 200") < len(ended) - Limits().each, "not after those that queue"


def test_workers_are_forked_and_come_back_when_their_server_is_killed(
    aws: Aws, invoke: Callable[..., Any]
) -> None:
    server = int(invoke(do="status").partition("PPid:")[2].split()[0])
    assert b"fork_server.py" in Path(f"/proc/{server}/cmdline").read_bytes()
    before = invoke()["pid"]
    os.kill(server, signal.SIGKILL)
    until(lambda: start_time(before) is None)
    answers = [invoke() for _ in range(2)]  # the engine may learn of the death by the first
    assert answers[-1]["pid"] != before


def test_functions_with_other_layers_have_a_fork_server_of_their_own(
    aws: Aws, invoke: Callable[..., Any], tmp_path: Path
) -> None:
    """What is only in one function's layers must not be found by another's import."""
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "only_here.py").touch()
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "app.py").write_text(
        "import only_here, os\ndef handler(event, context):\n    return os.getppid()"
    )
    _deploy(aws, "layered", folder, PYTHONPATH=str(layer))
    answer = aws("lambda").invoke(FunctionName="layered", Payload=b"{}")
    theirs = json.loads(answer["Payload"].read())
    assert theirs != int(invoke(do="status").partition("PPid:")[2].split()[0])


def test_a_calls_time_does_not_run_while_its_libraries_are_imported(
    aws: Aws, tmp_path: Path
) -> None:
    """The import of what is in its layers takes longer than the function and its start may."""
    layer = tmp_path / "layer"
    domain = layer / "vsl" / "domain"
    domain.mkdir(parents=True)
    (domain / "__init__.py").write_text("import time\ntime.sleep(14)")
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "app.py").write_text("def handler(event, context):\n    return event")
    python = str(python_of("functions"))
    _deploy(aws, "laden", folder, PYTHONPATH=str(layer), VSL_INTERPRETER=python)
    answer = aws("lambda").invoke(FunctionName="laden", Payload=b'"done"')
    assert json.loads(answer["Payload"].read()) == "done"


def test_a_log_has_a_call_s_lines_and_no_empty_ones(aws: Aws, invoke: Callable[..., Any]) -> None:
    invoke(do="print")
    logs = aws("logs")
    streams = logs.describe_log_streams(
        logGroupName="/aws/lambda/probe", orderBy="LastEventTime", descending=True
    )["logStreams"]
    events = logs.get_log_events(
        logGroupName="/aws/lambda/probe", logStreamName=streams[0]["logStreamName"]
    )["events"]
    assert [event["message"].split()[0] for event in events] == [
        "START",
        "one",
        "two",
        "END",
        "REPORT",
    ]


def test_a_token_may_be_answered_before_the_waiting_function_returns(aws: Aws, probe: str) -> None:
    machine = task(
        "lambda:invoke.waitForTaskToken",
        {"FunctionName": probe, "Payload": {"do": "answer-early", "token.$": "$$.Task.Token"}},
        ResultPath="$.outcome",
        TimeoutSeconds=10,
    )
    ended = aws.run(machine, {"kept": True})
    assert json.loads(ended["output"]) == {"kept": True, "outcome": {"early": 1}}


def test_waiting_for_a_token_ends_with_the_static_timeout(aws: Aws, probe: str) -> None:
    machine = task(
        "lambda:invoke.waitForTaskToken",
        {"FunctionName": probe, "Payload": {"token.$": "$$.Task.Token"}},
        TimeoutSeconds=1,
    )
    assert json.loads(aws.run(machine, {})["output"])["error"]["Error"] == "States.Timeout"


def test_a_token_nobody_waits_for_is_refused_as_gone(aws: Aws) -> None:
    """AWS says TaskTimedOut or InvalidToken: our adapter takes all of them for answered."""
    with pytest.raises(ClientError) as refused:
        aws("stepfunctions").send_task_success(taskToken="long gone", output="{}")
    assert refused.value.response["Error"]["Code"] in {"TaskDoesNotExist", "InvalidToken"}


def test_an_express_machine_starts_a_standard_one_and_answers_at_once(aws: Aws) -> None:
    states = aws("stepfunctions")
    passing = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    inner = states.create_state_machine(name="inner", definition=json.dumps(passing), roleArn=ROLE)[
        "stateMachineArn"
    ]
    parameters = {"StateMachineArn": inner, "Name.$": "$.id", "Input": {"id.$": "$.id"}}
    outer = states.create_state_machine(
        name="outer",
        type="EXPRESS",
        definition=json.dumps(task("states:startExecution", parameters, ResultPath=None)),
        roleArn=ROLE,
    )["stateMachineArn"]
    for _ in range(2):
        answer = states.start_sync_execution(stateMachineArn=outer, input='{"id": "job-1"}')
        assert answer["status"] == "SUCCEEDED"
    second = json.loads(answer["output"])
    assert "ExecutionAlreadyExists" in second["error"]["Error"]
    found = states.describe_execution(
        executionArn=inner.replace("stateMachine", "execution") + ":job-1"
    )
    assert json.loads(found["input"]) == {"id": "job-1"}


def test_conditional_writes_have_one_winner(aws: Aws) -> None:
    dynamodb = aws("dynamodb")
    dynamodb.create_table(
        TableName="race",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def claim(index: int) -> bool:
        try:
            dynamodb.put_item(
                TableName="race",
                Item={"id": {"S": str(index % 10)}},
                ConditionExpression="attribute_not_exists(id)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(claim, range(100))) == 10


def test_signed_addresses_of_version_4_are_served(aws: Aws) -> None:
    """Version 2, botocore's default for some regions, is taken for no signature."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="a b.txt", Body=b"hello")
    url = s3.generate_presigned_url(
        "get_object",
        {"Bucket": "signed", "Key": "a b.txt", "ResponseContentType": "text/x-greeting"},
    )
    assert url.startswith(aws.url)
    answer = web.get(url)
    assert (answer.text, answer.headers["content-type"]) == ("hello", "text/x-greeting")


def test_secrets_are_read_by_name_and_decrypted(aws: Aws) -> None:
    ssm = aws("ssm")
    ssm.put_parameter(Name="/probe/one", Value="secret", Type="SecureString")
    ssm.put_parameter(Name="/probe/one", Value="newer", Type="SecureString", Overwrite=True)
    found = ssm.get_parameters(Names=["/probe/none", "/probe/one"], WithDecryption=True)
    assert [(each["Name"], each["Value"]) for each in found["Parameters"]] == [
        ("/probe/one", "newer")
    ]
    assert found["InvalidParameters"] == ["/probe/none"]


def test_templates_lose_expiry_and_lifecycle_which_the_api_accepts(aws: Aws) -> None:
    """Why devstack/deploy.py adds them afterwards; if this fails, it need not any more."""
    template = {
        "Resources": {
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": "expiring",
                    "BillingMode": "PAY_PER_REQUEST",
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
                },
            }
        }
    }
    cloudformation, dynamodb = aws("cloudformation"), aws("dynamodb")
    cloudformation.create_stack(StackName="expiring", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="expiring", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    describe = dynamodb.describe_time_to_live
    assert describe(TableName="expiring")["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    dynamodb.update_time_to_live(
        TableName="expiring", TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}
    )
    assert describe(TableName="expiring")["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"


def test_a_template_may_come_from_a_bucket(aws: Aws, tmp_path: Path) -> None:
    """Ours is larger than the 51 200 bytes a request may carry."""
    s3, cloudformation = aws("s3"), aws("cloudformation")
    s3.create_bucket(Bucket="templates")
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "from-bucket"}}
    template = {
        "Description": "x" * 900,
        "Resources": {"Queue": queue},
        "Metadata": {"x": "x" * 60_000},
    }
    s3.put_object(Bucket="templates", Key="t.json", Body=json.dumps(template).encode())
    cloudformation.create_stack(StackName="big", TemplateURL=f"{aws.url}/templates/t.json")
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="big", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    assert aws("sqs").get_queue_url(QueueName="from-bucket")["QueueUrl"]


@pytest.fixture
def as_functions_do(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The engine's endpoint and credentials in the environment: it takes addresses of no others."""
    clients.forget()
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield
    clients.forget()


@pytest.mark.usefixtures("as_functions_do")
def test_a_form_takes_what_its_policy_says_and_nothing_else(aws: Aws) -> None:
    aws("s3").create_bucket(Bucket="forms")
    uploads = S3Uploads("forms")
    before = datetime.now(UTC).replace(microsecond=0)
    upload_id = new_job_id(before)
    form = uploads.form("a@b|c", upload_id, UploadRequest("image/png", "lake.png"), 10)

    def post(content: bytes, **changes: str) -> httpx.Response:
        fields = {**form.fields, **changes}
        file = {"file": ("any.svg", content, "image/svg+xml")}
        return web.post(form.url, data=fields, files=file)

    refused = [
        post(b""),
        post(b"x" * 11),
        post(b"x", key="temp/uploads/other/x"),
        post(b"x", **{"Content-Type": "text/html"}),
        post(b"x", **{"x-amz-meta-file-name": "evil"}),
        post(b"x", **{"x-amz-acl": "public-read"}),
    ]
    assert [answer.status_code // 100 for answer in refused] == [4] * len(refused)
    assert uploads.find("a@b|c", upload_id) is None
    assert post(b"x", **{"x-amz-signature": "0" * 64}).status_code == 403
    assert post(b"0123456789").status_code == 204
    found = uploads.find("a@b|c", upload_id)
    assert found is not None
    assert (found.content_type, found.size) == ("image/png", 10)
    assert before <= found.uploaded_at <= datetime.now(UTC)
    assert uploads.find("a@b", upload_id) is None
    answer = web.get(uploads.address("a@b|c", upload_id, 60))
    assert answer.content == b"0123456789"


@pytest.mark.usefixtures("as_functions_do")
def test_a_form_ends_with_its_policy(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws("s3").create_bucket(Bucket="late-forms")
    earlier = datetime.now(UTC) - timedelta(seconds=601)
    for module in (auth, signers):
        monkeypatch.setattr(module, "get_current_datetime", lambda: earlier.replace(tzinfo=None))
    form = S3Uploads("late-forms").form("u", new_job_id(earlier), UploadRequest("image/png"), 10)
    late = web.post(form.url, data=dict(form.fields), files={"file": ("x", b"x")})
    assert late.status_code == 403
