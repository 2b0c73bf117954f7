"""The front over a real socket: header names keep their case, a changed document is picked up."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from devstack.gateway.app import GatewayApp
from devstack.gateway.metrics import RequestMetrics
from devstack.gateway.server import server_config
from tests.support import web
from tests.support.front import Backend, api_document


def write_document(path: Path, **parameters: str) -> None:
    document = {
        "document": api_document(**parameters).document,
        "stage": "local",
        "access": {"apiKeys": ["k"]},
    }
    path.write_text(json.dumps(document))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    write_document(tmp_path / "api.json")
    return tmp_path / "api.json"


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def port(document: Path, backend: Backend) -> Iterator[int]:
    app = GatewayApp(document, backend, RequestMetrics(lambda *_: None))
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        number: int = server.servers[0].sockets[0].getsockname()[1]
        yield number
    finally:
        server.should_exit = True
        thread.join(10)


def exchange(port: int, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(raw)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_header_names_keep_the_case_they_were_sent_in(port: int, backend: Backend) -> None:
    forged = b"x-vsl-cased-names: A,B,C\r\n"
    answer = exchange(
        port,
        b"POST /webhook/replicate?jobId=1 HTTP/1.1\r\nHost: api.test\r\nwebhook-ID: m1\r\n"
        b"X-CamelCase: one\r\nx-camelcase: two\r\n" + forged + b"X-Forwarded-For: 6.6.6.6\r\n"
        b"Content-Length: 4\r\nConnection: close\r\n\r\n\xc3\xbc\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 200")
    ((_, event),) = backend.events
    headers = event["headers"]
    assert headers["webhook-ID"] == "m1"
    assert (headers["X-CamelCase"], headers["x-camelcase"]) == ("one", "two")
    assert headers["x-vsl-cased-names"] == "A,B,C"
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "http"
    assert event["body"] == "ü\r\n"


def test_head_and_keep_alive(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert client.get("/models").json() == {}
        assert client.head("/models").content == b""
        assert client.get("/models").headers["x-amzn-requestid"]


def test_a_preflight_has_no_body_and_leaves_the_connection_whole(port: int) -> None:
    """Its template leaves lines that are empty, which no 204 may carry."""
    ask = b"OPTIONS /credits HTTP/1.1\r\nHost: api.test\r\n"
    asked = ask + b"\r\n" + ask + b"Connection: close\r\n\r\n"
    answers = exchange(port, asked).split(b"HTTP/1.1 204")
    assert [answers[0], len(answers)] == [b"", 3]
    assert all(each.partition(b"\r\n\r\n")[2] == b"" for each in answers)


def test_a_deployment_is_served_without_a_restart(port: int, document: Path) -> None:
    url = f"http://127.0.0.1:{port}/models"
    assert web.get(url).status_code == 200
    write_document(document, ApiAuth="API_KEY")
    assert web.get(url).status_code == 403
    assert web.get(url, headers={"X-Api-Key": "k"}).status_code == 200


def test_a_door_without_an_engine_is_a_503(tmp_path: Path, document: Path) -> None:
    """The real back end with nobody behind it."""
    from devstack.gateway.app import Gateway
    from devstack.gateway.backend import EngineBackend
    from devstack.gateway.request import Request

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        backend = EngineBackend(f"http://127.0.0.1:{unused.getsockname()[1]}")
        gateway = Gateway(api_document(), backend, "local")
        answer = gateway.handle(Request("GET", "/models", "", (), b""))
        assert answer.status == 503
