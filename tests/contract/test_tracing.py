"""The provider's calls in the X-Ray trace, as the daemon beside a function hears them."""

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from vsl.adapters.replicate.client import ReplicateProvider
from vsl.domain.errors import ProviderThrottled, SubmissionUncertain

TOKEN = "r8_secret"
ROOT, PARENT = "1-6b08e2be-" + "a5" * 12, "5a" * 8
PREDICTION = {"id": "p1", "status": "starting", "urls": {}}


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header(sampled=True))
        yield listener


def header(*, sampled: bool) -> str:
    return f"Root={ROOT};Parent={PARENT};Sampled={int(sampled)};Lineage=1:a87bd80c:0"


def heard(daemon: socket.socket) -> dict[str, Any]:
    datagram = daemon.recv(65_535)
    first, _, rest = datagram.partition(b"\n")
    assert json.loads(first) == {"format": "json", "version": 1}
    assert TOKEN.encode() not in datagram
    document: dict[str, Any] = json.loads(rest)
    return document


def silent(daemon: socket.socket) -> bool:
    """Whether no datagram is there: on loopback one is delivered before `sendto` returns."""
    daemon.setblocking(False)
    try:
        daemon.recv(65_535)
    except BlockingIOError:
        return True
    return False


def create(answer: httpx.Response | Exception) -> None:
    def respond(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    provider = ReplicateProvider(
        "https://api.replicate.com/v1", lambda: TOKEN, transport=httpx.MockTransport(respond)
    )
    try:
        provider.create("black-forest-labs/flux-schnell", {"prompt": "x"}, "https://w", 60)
    finally:
        provider.close()


def test_a_submission_is_a_subsegment_of_the_function(daemon: socket.socket) -> None:
    before = time.time()
    create(httpx.Response(201, json=PREDICTION))
    found = heard(daemon)
    assert (found["trace_id"], found["parent_id"]) == (ROOT, PARENT)
    assert re.fullmatch("[0-9a-f]{16}", found["id"])
    assert (found["type"], found["namespace"], found["name"]) == (
        "subsegment",
        "remote",
        "replicate",
    )
    assert before <= found["start_time"] <= found["end_time"] <= time.time()
    assert found["http"] == {
        "request": {
            "method": "POST",
            "url": "https://api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions",
        },
        "response": {"status": 201},
    }
    assert not {"fault", "error", "throttle", "cause"} & found.keys()
    assert silent(daemon)


def test_what_went_wrong_is_told_in_the_words_of_x_ray(daemon: socket.socket) -> None:
    with pytest.raises(ProviderThrottled):
        create(httpx.Response(429, json={}))
    throttled = heard(daemon)
    assert (throttled["error"], throttled["throttle"]) == (True, True)
    with pytest.raises(SubmissionUncertain):
        create(httpx.Response(502))
    assert heard(daemon)["fault"] is True
    with pytest.raises(SubmissionUncertain):
        create(httpx.ReadTimeout(f"the answer to {TOKEN} is late"))
    lost = heard(daemon)
    assert lost["fault"] is True
    assert [each["type"] for each in lost["cause"]["exceptions"]] == ["ReadTimeout"]
    assert "response" not in lost["http"]


@pytest.mark.parametrize("trace", ["", "Root=1;Sampled=1", header(sampled=False), "nonsense"])
def test_nothing_is_sent_of_a_trace_nobody_keeps(
    daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, trace: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    create(httpx.Response(201, json=PREDICTION))
    assert silent(daemon)


@pytest.mark.parametrize("address", [None, "", "nowhere", "127.0.0.1:1"])
def test_a_daemon_that_is_not_there_is_in_nobodys_way(
    monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header(sampled=True))
    if address is not None:
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    create(httpx.Response(201, json=PREDICTION))
