"""boto3's clients as the adapters have them, over a real socket: kept open, repeated, told apart."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from botocore import endpoint
from botocore.exceptions import ClientError, ParamValidationError

from vsl.adapters.aws import clients
from vsl.adapters.aws.parameters import Parameters
from vsl.adapters.aws.step_functions import StepFunctionsTaskTokens
from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.s3.presigning import credentials
from vsl.domain.errors import ConfigurationError, StoreUnavailable

TYPE = "com.amazonaws.dynamodb.v20120810#"


@dataclass
class Service:
    """What it will answer, each once, and what it was asked on which connection.

    An answer is a status and a body; `cut` ends the connection without one, `then_cut` after it.
    """

    answers: list[tuple[int, Any] | str] = field(default_factory=list)
    asked: list[tuple[int, str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    then_cut: bool = False
    checksum: bool = True
    pauses: list[float] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: ClassVar[Service]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers["X-Amz-Target"]
        self.service.headers.append({k.lower(): v for k, v in self.headers.items()})
        self.service.asked.append((self.client_address[1], target, json.loads(body)))
        answer = self.service.answers.pop(0)
        if isinstance(answer, str):
            self.close_connection = True
            return
        status, document = answer
        content = (document if isinstance(document, str) else json.dumps(document)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        told = zlib.crc32(content) if self.service.checksum else 1
        self.send_header("x-amz-crc32", str(told))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.service.then_cut

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    found = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": found}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=found.pauses.append))
    clients.forget()
    yield found
    clients.forget()
    server.shutdown()
    server.server_close()
    thread.join(10)


def get_item() -> dict[str, Any]:
    found = call("get_item", TableName="jobs", Key={"jobId": {"S": "1"}})
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def test_calls_share_a_connection(service: Service) -> None:
    service.answers = [(200, {"Item": {}}), (200, {})]
    assert get_item() == {"Item": {}}
    assert get_item() == {}
    (first, target, body), (second, _, _) = service.asked
    assert first == second
    assert target == "DynamoDB_20120810.GetItem"
    assert body == {"TableName": "jobs", "Key": {"jobId": {"S": "1"}}}


def test_a_connection_that_died_at_rest_is_replaced(service: Service) -> None:
    service.answers, service.then_cut = [(200, {}), (200, {"Item": {}})], True
    get_item()
    assert get_item() == {"Item": {}}
    assert len({port for port, _, _ in service.asked}) == 2


def test_a_call_is_signed_with_the_session_of_the_role(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-role")
    service.answers = [(200, {"Parameters": []})]
    assert Parameters("/vsl/test/").find("redis-url") is None
    (headers,) = service.headers
    assert headers["x-amz-security-token"] == "of-the-role"
    assert "/eu-central-1/ssm/aws4_request" in headers["authorization"]


def test_an_answer_that_is_lost_is_asked_for_again(service: Service) -> None:
    service.answers = ["cut", (200, {"Item": {}})]
    assert get_item() == {"Item": {}}


def test_a_service_that_breaks_off_each_time_is_away(service: Service) -> None:
    service.answers = ["cut"] * clients.ATTEMPTS
    with pytest.raises(StoreUnavailable, match="DynamoDB could not be reached"):
        get_item()
    assert not service.answers


def test_a_damaged_answer_is_asked_for_again(service: Service) -> None:
    service.answers, service.checksum = [(200, {})] * clients.ATTEMPTS, False
    get_item()
    assert not service.answers


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"__type": TYPE + "InternalServerError"}),
        (400, {"__type": TYPE + "ProvisionedThroughputExceededException"}),
        (400, {"__type": "com.amazon.coral.availability#ThrottlingException"}),
        (503, "<html>"),
    ],
)
def test_not_now_is_tried_again_and_then_told(service: Service, answer: tuple[int, Any]) -> None:
    service.answers = [*[answer] * (clients.ATTEMPTS - 1), (200, {"Item": {}})]
    assert get_item() == {"Item": {}}
    service.answers = [answer] * clients.ATTEMPTS
    with pytest.raises(StoreUnavailable, match="DynamoDB did not answer"):
        get_item()
    assert not service.answers
    assert len(service.pauses) == 2 * (clients.ATTEMPTS - 1)


def test_too_many_requests_are_told_as_such(service: Service) -> None:
    service.answers = [(429, {})]
    with pytest.raises(StoreUnavailable, match="DynamoDB did not answer"):
        get_item()


def test_a_refusal_comes_with_the_item(service: Service) -> None:
    item = {"jobId": {"S": "1"}}
    service.answers = [(400, {"__type": TYPE + "ConditionalCheckFailedException", "Item": item})]
    with pytest.raises(ClientError, match="ConditionalCheckFailedException") as caught:
        get_item()
    assert item_from_failed_condition(caught.value) == item
    assert len(service.asked) == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_what_is_not_ours_is_a_matter_of_configuration(service: Service, code: str) -> None:
    service.answers = [(400, {"__type": TYPE + code, "message": "no such table"})]
    with pytest.raises(ConfigurationError, match="DynamoDB refused: no such table"):
        get_item()
    assert len(service.asked) == 1


def test_a_call_that_is_malformed_is_no_outage(service: Service) -> None:
    with pytest.raises(ParamValidationError):
        call("get_item", TableName="jobs", Key=7)
    assert not service.asked


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_spent_needs_nothing_more(service: Service, code: str) -> None:
    service.answers = [(400, {"__type": f"com.amazonaws.swf.service.v2.model#{code}"})]
    StepFunctionsTaskTokens().succeed("token", {"status": "succeeded"})
    assert service.asked[0][1:] == (
        "AWSStepFunctions.SendTaskSuccess",
        {"taskToken": "token", "output": '{"status":"succeeded"}'},
    )


def test_an_output_that_is_too_long_is_told(service: Service) -> None:
    service.answers = [(400, {"__type": "com.amazonaws.swf.service.v2.model#InvalidOutput"})]
    with pytest.raises(ClientError, match="InvalidOutput"):
        StepFunctionsTaskTokens().fail("token", "Error", "cause")


def test_a_container_s_credentials_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Lambda hands them to a function that was restored from a snapshot."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(
                {
                    "AccessKeyId": "of-the-container",
                    "SecretAccessKey": "secret",  # pragma: allowlist secret
                    "Token": "token",
                    "Expiration": "2999-01-01T00:00:00Z",
                }
            ).encode()
            self.send_response(200 if self.headers["Authorization"] == "let-me" else 403)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/credentials"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let-me")
    clients.forget()
    try:
        found = credentials()
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
        clients.forget()
    assert (found.access_key, found.token) == ("of-the-container", "token")
