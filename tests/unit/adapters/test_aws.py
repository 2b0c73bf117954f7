"""The clients: where a service is, with what credentials, within what time."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import EndpointConnectionError
from botocore.retries import standard

from tests.support.machines import definition
from tests.support.template import REPOSITORY, resource
from vsl.adapters.aws import clients
from vsl.adapters.aws.step_functions import ANSWER_SECONDS, SynchronousApiWorkflow
from vsl.adapters.s3.presigning import credentials
from vsl.domain.errors import ConfigurationError, StoreUnavailable

SERVICES = ("dynamodb", "stepfunctions", "ssm", "s3", "sqs", "events", "lambda")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    clients.forget()
    yield
    clients.forget()


@pytest.mark.parametrize("service", SERVICES)
def test_every_client_has_limits(service: str) -> None:
    config = clients.client(service).meta.config
    assert (config.connect_timeout, config.read_timeout) == (
        clients.CONNECT_SECONDS,
        clients.READ_SECONDS,
    )
    assert config.retries["total_max_attempts"] == clients.ATTEMPTS
    assert config.retries["mode"] == "standard"
    assert clients.client("s3", read_timeout=60).meta.config.read_timeout == 60


@pytest.mark.parametrize(
    ("variable", "prefixed"),
    [(None, True), ("AWS_ENDPOINT_URL", False), ("AWS_ENDPOINT_URL_SFN", False)],
)
def test_synchronous_executions_have_a_host_of_their_own_at_aws_alone(
    variable: str | None, prefixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SFN"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    asked: list[str] = []

    def stop(request: AWSPreparedRequest, **_: object) -> None:
        asked.append(urlsplit(str(request.url)).hostname or "")
        raise EndpointConnectionError(endpoint_url=request.url)

    machine = clients.client(
        "stepfunctions", read_timeout=ANSWER_SECONDS, attempts=1, host_prefix=True
    )
    machine.meta.events.register("before-send.stepfunctions", stop)
    with pytest.raises(StoreUnavailable):
        SynchronousApiWorkflow("arn:aws:states:us-east-1:123456789012:stateMachine:m").run({})
    expected = "sync-states.us-east-1.amazonaws.com" if prefixed else "127.0.0.1"
    assert asked == [expected]


def test_the_api_workflow_ends_before_its_caller_gives_up() -> None:
    assert definition("generate_media")["TimeoutSeconds"] < ANSWER_SECONDS


def test_a_client_is_made_once() -> None:
    assert clients.client("ssm") is clients.client("ssm")
    assert clients.session() is clients.session()


@pytest.mark.parametrize(
    ("region", "service", "address"),
    [
        ("eu-central-1", "s3", "https://s3.eu-central-1.amazonaws.com"),
        ("eu-central-1", "stepfunctions", "https://states.eu-central-1.amazonaws.com"),
        ("cn-north-1", "dynamodb", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "ssm", "https://ssm.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "dynamodb", "https://dynamodb.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_every_partition_has_its_addresses(
    monkeypatch: pytest.MonkeyPatch, region: str, service: str, address: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert clients.client(service).meta.endpoint_url == address


def test_fips_endpoints_are_a_matter_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert (
        clients.client("dynamodb").meta.endpoint_url
        == "https://dynamodb-fips.us-east-1.amazonaws.com"
    )


def test_the_local_stack_is_found_by_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:4567")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", "http://127.0.0.1:4568")
    found = [clients.client(name).meta.endpoint_url for name in ("s3", "ssm", "stepfunctions")]
    assert found == [f"http://127.0.0.1:{port}" for port in (4566, 4567, 4568)]


def test_without_a_region_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with (
        pytest.raises(ConfigurationError, match="No AWS region is set"),
        clients.translated("DynamoDB"),
    ):
        clients.client("dynamodb")


def test_without_credentials_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigurationError, match="There are no AWS credentials"):
        credentials()


# Their states end and repeat them: a client waits for 28 seconds and no longer.
API_WORKFLOW = {"validate_request", "check_rate_limit", "create_job", "reject_request"}


@pytest.mark.parametrize("folder", sorted(REPOSITORY.glob("functions/*/app.py")), ids=str)
def test_a_call_with_its_repeats_fits_the_function_s_time(folder: Path) -> None:
    name = folder.parent.name
    logical_id = "".join(word.capitalize() for word in name.split("_")) + "Function"
    attempt = clients.CONNECT_SECONDS + clients.READ_SECONDS
    longest = clients.ATTEMPTS * attempt + (clients.ATTEMPTS - 1) * clients.LONGEST_PAUSE_SECONDS
    limit = resource(logical_id)["Properties"]["Timeout"]
    assert (longest < limit) is (name not in API_WORKFLOW)


def test_a_pause_is_no_longer_than_is_reckoned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    backoff = standard.ExponentialBackoff(random=lambda: 1)
    context = standard.RetryContext(attempt_number=clients.ATTEMPTS - 1)
    assert backoff.delay_amount(context) == clients.LONGEST_PAUSE_SECONDS
