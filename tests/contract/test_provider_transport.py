"""The client against real sockets: what httpx makes of servers that refuse, hang up or redirect.

The mapping of `create` rests on which exception means "nothing was sent"; canned transports
cannot show that.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.replicate_api import ID, TOKEN, prediction
from vsl.adapters.replicate.client import ReplicateProvider
from vsl.domain.errors import ProviderUnavailable, SubmissionUncertain

REFERENCE = "black-forest-labs/flux-schnell"


@contextmanager
def server(answers: list[bytes | None]) -> Iterator[tuple[str, list[bytes]]]:
    """A loopback server: one connection an answer, closed after it; None hangs up unanswered.

    Yields its address and the requests it has read.
    """
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(10)
                    requests.append(_read_request(connection))
                    if answer is not None:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", requests
        thread.join(10)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
    ]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\nConnection: close\r\n\r\n" + body


CREATED = _answer("201 Created", json.dumps(prediction()).encode())


def create(base_url: str) -> str:
    provider = ReplicateProvider(base_url, lambda: TOKEN, sleep=lambda _seconds: None)
    try:
        return provider.create(REFERENCE, {"prompt": "p"}, "https://x.example/w", 60).id
    finally:
        provider.close()


def test_a_prediction_is_created_over_http() -> None:
    with server([CREATED]) as (base_url, requests):
        assert create(base_url) == ID
    head = requests[0].partition(b"\r\n\r\n")[0].decode().lower()
    assert head.startswith(f"post /v1/models/{REFERENCE}/predictions http/1.1")
    assert "cancel-after: 60s" in head


def test_a_closed_port_proves_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ProviderUnavailable, match="ConnectError"):
        create(f"http://127.0.0.1:{port}/v1")


def test_a_name_that_does_not_resolve_proves_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ProviderUnavailable, match="ConnectError"):
        create("http://provider.invalid/v1")


@pytest.mark.parametrize(
    "answer", [None, b"HTTP/1.1 201 Crea", CREATED[:-20], b"SSH-2.0-OpenSSH_9.9\r\n"]
)
def test_a_connection_lost_after_the_request_leaves_it_open(answer: bytes | None) -> None:
    with server([answer]) as (base_url, requests), pytest.raises(SubmissionUncertain):
        create(base_url)
    assert len(requests) == 1


def test_a_read_is_repeated_on_a_new_connection() -> None:
    found = _answer("200 OK", json.dumps(prediction("processing")).encode())
    with server([None, found]) as (base_url, requests):
        provider = ReplicateProvider(base_url, lambda: TOKEN, sleep=lambda _seconds: None)
        assert provider.get(ID) is not None
        provider.close()
    assert len(requests) == 2
