"""What is changed in the engine before it starts."""

import socket
import socketserver
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devstack.hosting.install import host_functions
from devstack.hosting.places import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="opens a named pipe for reading")


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socketserver.StreamRequestHandler, "disable_nagle_algorithm", False)


def test_small_answers_are_sent_at_once(tmp_path: Path) -> None:
    host_functions(SimpleNamespace(_execute_function_provided_warm=None), tmp_path / "queue")
    found: list[int] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            found.append(self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    with (
        socketserver.TCPServer(("127.0.0.1", 0), Handler) as server,
        socket.create_connection(server.socket.getsockname()),
    ):
        server.handle_request()
    assert found == [1]


def test_no_more_calls_of_a_function_run_than_may(tmp_path: Path) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def execute(function: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.005)
        with lock:
            running -= 1
        return {"body": [function["config"]["FunctionName"], event, request_id]}

    service = SimpleNamespace(_execute_function_provided_warm=execute)
    host_functions(service, tmp_path / "queue")
    answers: list[dict[str, Any]] = []

    def call(number: int) -> None:
        function = {"config": {"FunctionName": "f"}}
        answers.append(service._execute_function_provided_warm(function, number, "id"))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["body"][1] for answer in answers) == list(range(20))
    assert 1 <= most <= Limits().each
