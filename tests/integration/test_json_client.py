"""The clients of the hot paths over a real socket: kept open, replaced when dead, told apart."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from vsl.adapters import connections, signed
from vsl.adapters.json_client import JsonClient, Refused
from vsl.adapters.stepfunctions import TaskCallbacks
from vsl.domain.errors import ConfigurationError, StoreUnavailable

TYPE = "com.amazonaws.dynamodb.v20120810#"


@dataclass
class Service:
    """What it will answer, each once, and what it was asked on which connection.

    An answer is a status and a body; `cut` ends the connection without one, `then_cut` after it.
    """

    answers: list[tuple[int, Any] | str] = field(default_factory=list)
    asked: list[tuple[int, str, Any]] = field(default_factory=list)
    then_cut: bool = False
    checksum: bool = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: ClassVar[Service]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers["X-Amz-Target"]
        self.service.asked.append((self.client_address[1], target, json.loads(body)))
        answer = self.service.answers.pop(0)
        if isinstance(answer, str):
            self.close_connection = True
            return
        status, document = answer
        content = json.dumps(document).encode()
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
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setattr(signed, "_PAUSE_SECONDS", 0)
    yield found
    connections.close()
    server.shutdown()
    server.server_close()
    thread.join(10)


def get_item() -> dict[str, Any]:
    return JsonClient("dynamodb").get_item(TableName="jobs", Key={"jobId": {"S": "1"}})


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


def test_an_answer_that_is_lost_is_asked_for_again(service: Service) -> None:
    service.answers = ["cut", (200, {"Item": {}})]
    assert get_item() == {"Item": {}}


def test_a_damaged_answer_is_none(service: Service) -> None:
    service.answers, service.checksum = [(200, {})] * signed.ATTEMPTS, False
    with pytest.raises(StoreUnavailable, match="DynamoDB could not be reached"):
        get_item()


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"__type": TYPE + "InternalServerError"}),
        (400, {"__type": TYPE + "ProvisionedThroughputExceededException"}),
        (400, {"__type": "com.amazon.coral.availability#ThrottlingException"}),
        (429, {}),
        (503, "<html>"),
    ],
)
def test_not_now_is_tried_again_and_then_told(service: Service, answer: tuple[int, Any]) -> None:
    service.answers = [answer, answer, (200, {"Item": {}})]
    assert get_item() == {"Item": {}}
    service.answers = [answer] * signed.ATTEMPTS
    with pytest.raises(StoreUnavailable, match="DynamoDB did not answer"):
        get_item()


def test_a_refusal_comes_with_the_item(service: Service) -> None:
    item = {"jobId": {"S": "1"}}
    service.answers = [(400, {"__type": TYPE + "ConditionalCheckFailedException", "Item": item})]
    with pytest.raises(Refused, match="ConditionalCheckFailedException") as caught:
        get_item()
    assert (caught.value.code, caught.value.answer["Item"]) == (
        "ConditionalCheckFailedException",
        item,
    )


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_what_is_not_ours_is_a_matter_of_configuration(service: Service, code: str) -> None:
    service.answers = [(400, {"__type": TYPE + code, "Message": "no such table"})]
    with pytest.raises(ConfigurationError, match="DynamoDB refused: no such table"):
        get_item()


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_spent_needs_nothing_more(service: Service, code: str) -> None:
    service.answers = [(400, {"__type": f"com.amazonaws.swf.service.v2.model#{code}"})]
    TaskCallbacks().succeed("token", {"status": "succeeded"})
    assert service.asked[0][1:] == (
        "AWSStepFunctions.SendTaskSuccess",
        {"taskToken": "token", "output": '{"status":"succeeded"}'},
    )


def test_an_output_that_is_too_long_is_told(service: Service) -> None:
    service.answers = [(400, {"__type": "com.amazonaws.swf.service.v2.model#InvalidOutput"})]
    with pytest.raises(Refused, match="InvalidOutput"):
        TaskCallbacks().fail("token", "Error", "cause")


def test_where_step_functions_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that boto3 knows, too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", "http://127.0.0.1:4568")
    assert signed.endpoint("states") == "http://127.0.0.1:4568"
