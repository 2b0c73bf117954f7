"""Sending a callback over a scripted network: what is connected to, what is sent, how it ends.

Addresses come from a resolver of the test's own, names lead wherever a test wants.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

import httpcore
import pytest

from tests.support.scripted_network import NO_ROOTS, PUBLIC, ScriptedNetwork, scripted_resolver
from vsl.adapters.http.callback_sender import KEPT_BYTES, CallbackSender
from vsl.domain.callbacks.callback import Reply

URL = "https://client.example/hooks?tenant=7"
BODY = b'{"jobId":"j"}'
SIGNED = {"webhook-id": "msg_j", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
REFUSED = "The address leads to no public host."


def answered(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def post(network: httpcore.NetworkBackend, url: str = URL, *, local: bool = False) -> Reply:
    return CallbackSender(local=local, backend=network, ssl_context=NO_ROOTS).post(
        url, BODY, SIGNED
    )


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return scripted_resolver(monkeypatch)


def test_the_message_arrives_signed_and_without_credentials_of_ours() -> None:
    network = ScriptedNetwork(answered(204))
    reply = post(network)
    assert (reply.status_code, reply.error, reply.response) == (204, None, "")
    assert network.connected == [(PUBLIC, 443)]
    head, _, body = network.sent.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /hooks?tenant=7 http/1.1"
    assert {"host: client.example", "content-type: application/json", "webhook-id: msg_j"} <= {
        *lines
    }
    assert not any(line.startswith(("authorization", "cookie", "x-amz")) for line in lines)
    assert body == BODY


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.7", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1",
     "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_called(
    address: str, resolver: Callable[..., None]
) -> None:
    network = ScriptedNetwork(answered(204))
    resolver([address])
    reply = post(network)
    assert (reply.status_code, reply.error) == (None, REFUSED)
    assert network.connected == []


def test_one_private_address_among_public_ones_is_enough(resolver: Callable[..., None]) -> None:
    network = ScriptedNetwork(answered(204))
    resolver([PUBLIC, "10.0.0.7"])
    assert post(network).error == REFUSED
    assert network.connected == []


def test_the_connection_goes_to_the_address_that_was_checked(
    resolver: Callable[..., None],
) -> None:
    """DNS rebinding: the second answer is private, but nobody asks a second time."""
    network = ScriptedNetwork(answered(204))
    resolver([PUBLIC], ["127.0.0.1"])
    assert post(network).status_code == 204
    assert network.connected == [(PUBLIC, 443)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["http://169.254.169.254/", "https://elsewhere.example/"])
def test_a_redirect_is_an_answer_and_not_followed(status: int, to: str) -> None:
    network = ScriptedNetwork(answered(status, b"", f"Location: {to}"), answered(200))
    assert post(network).status_code == status
    assert len(network.connected) == 1


@pytest.mark.parametrize(
    "url",
    ["http://client.example/", "ftp://client.example/", "https://u:p@client.example/",
     "https://127.0.0.1/", "https://2130706433/", "https://[::1]/", "https://localhost/",
     "https://client.example/\r\nX-Other: 1"],
)  # fmt: skip
def test_what_the_api_would_refuse_is_not_sent_either(url: str) -> None:
    """An address may have been stored by an older version, or by hand."""
    network = ScriptedNetwork(answered(204))
    reply = post(network, url)
    assert reply.status_code is None
    assert reply.error is not None
    assert network.connected == []


def test_the_local_stack_calls_its_own_machine_and_no_other_private_one(
    resolver: Callable[..., None],
) -> None:
    resolver(["127.0.0.1"], ["10.0.0.7"])
    network = ScriptedNetwork(answered(204), answered(204))
    assert post(network, "http://localhost:8080/", local=True).status_code == 204
    assert network.connected == [("127.0.0.1", 8080)]
    assert post(network, "http://nas.test/", local=True).error == REFUSED


def test_of_a_long_answer_the_beginning_is_kept() -> None:
    reply = post(ScriptedNetwork(answered(500, b"a\0b\xff" + b"x" * 10 * KEPT_BYTES)))
    assert reply.status_code == 500
    assert reply.response is not None
    assert reply.response.startswith("a�b�x")
    assert len(reply.response) == KEPT_BYTES


def test_an_endless_answer_is_left_after_its_beginning() -> None:
    head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply = post(ScriptedNetwork([head] + [b"400\r\n" + b"x" * 1024 + b"\r\n"] * 5000))
    assert (reply.status_code, len(reply.response or "")) == (200, KEPT_BYTES)


def test_a_status_counts_even_if_the_body_breaks_off() -> None:
    answer = b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nabc"
    reply = post(ScriptedNetwork(answer))
    assert (reply.status_code, reply.response) == (200, "abc")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200"])
def test_what_is_no_answer_is_told(answer: bytes) -> None:
    reply = post(ScriptedNetwork(answer))
    assert reply.status_code is None
    assert reply.error is not None
    assert reply.error.startswith("The exchange broke off")


def test_who_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Down(ScriptedNetwork):
        def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
            raise httpcore.ConnectError("refused")

    assert "refused" in (post(Down()).error or "")

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    reply = post(ScriptedNetwork())
    assert reply.status_code is None
    assert reply.error is not None


def test_drips_end_with_the_time_for_the_whole_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    class Dripping(httpcore.MockStream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            clock[0] += 4
            return b"H"

    class DrippingNetwork(httpcore.MockBackend):
        def __init__(self) -> None:
            """Nothing to prepare."""

        def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
            return Dripping([])

    reply = post(DrippingNetwork())
    assert reply.error == "No answer within 15 s."
    assert clock[0] < 20
