"""A Replicate stand-in, its real client and a webhook receiver for one test module."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
from replicate.client import Client

from devstack.replicate.config import Config
from devstack.replicate.control import Control, RecordedPrediction
from devstack.replicate.server import running
from devstack.replicate.state import State
from tests.support.waiting import until

TOKEN = "r8_" + "t" * 37
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret - the docs' example
SCHNELL = "black-forest-labs/flux-schnell"
SDXL = "stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
MUSICGEN = "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
SVD = (
    "sunfjun/stable-video-diffusion:"
    "d68b6e09eedbac7a49e3d8644999d93579c386a083768235cabca88796d70d82"
)


@dataclass(slots=True)
class StandIn:
    """One running stand-in, the ways to talk to it, and (in this process) what it knows."""

    url: str
    http: httpx.Client
    control: Control
    state: State

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(f"/v1{path}", json=body, headers=named)

    def create(self, reference: str = SCHNELL, **more: Any) -> dict[str, Any]:
        """Create a prediction; `input` has a prompt unless told."""
        body = {"version": reference, "input": {"prompt": "a lake", "seed": 1}, **more}
        answer = self.post("/predictions", body)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def get(self, prediction_id: str) -> dict[str, Any]:
        view: dict[str, Any] = (
            self.http.get(f"/v1/predictions/{prediction_id}").raise_for_status().json()
        )
        return view

    def finish(self, prediction_id: str) -> dict[str, Any]:
        """The prediction once it has ended."""
        return until(
            lambda: self.get(prediction_id),
            lambda view: view["status"] not in {"starting", "processing"},
        )

    def run(self, reference: str = SCHNELL, **asked: Any) -> dict[str, Any]:
        """The finished prediction for an input."""
        return self.finish(self.create(reference, input=asked)["id"])

    def recorded(
        self, prediction_id: str, fits: Callable[[RecordedPrediction], bool]
    ) -> RecordedPrediction:
        """What the control API tells of the prediction once it fits."""
        return until(lambda: self.control.prediction(prediction_id), fits)


@contextmanager
def stand_in(**settings: Any) -> Iterator[StandIn]:
    """A fast stand-in: each prediction takes 0.05 s, a webhook's last retry comes after 0.3 s."""
    fast = {"duration": 0.05, "speed": 0.01, "retry_scale": 0.005, "webhook_throttle": 0.0}
    config = Config(**{"token": TOKEN, "webhook_secret": SECRET, **fast, **settings})
    with running(config) as server:
        headers = {"Authorization": f"Bearer {config.token}"}
        with (
            httpx.Client(
                base_url=server.url, headers=headers, timeout=None, trust_env=False
            ) as http,
            Control(server.url) as control,
        ):
            yield StandIn(server.url, http, control, server.app.state.stand_in)


@contextmanager
def real_client(url: str, **more: Any) -> Iterator[Client]:
    """The client from PyPI, polling fast."""
    client = Client(api_token=TOKEN, base_url=url, **more)
    client.poll_interval = 0.02
    try:
        yield client
    finally:
        client._client.close()


class DeliveryHost(httpx.HTTPTransport):
    """Sends what is meant for https://replicate.delivery to a stand-in."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "replicate.delivery":
            request.url = request.url.copy_with(
                scheme=self._url.scheme, host=self._url.host, port=self._url.port
            )
        return super().handle_request(request)


@dataclass(slots=True)
class Received:
    """One webhook; header names are lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass(slots=True)
class Receiver:
    """What came to `url`; `statuses` are answered in turn, then 200."""

    url: str
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    location: str = "/elsewhere"

    def wait(self, count: int, timeout: float = 10) -> list[Received]:
        return until(lambda: list(self.received), lambda seen: len(seen) >= count)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on the loopback interface."""
    inbox = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = inbox.statuses.pop(0) if inbox.statuses else 200
            inbox.received.append(Received(self.path, headers, body, time.time()))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", inbox.location)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.url = f"http://127.0.0.1:{server.server_port}/hook?job=42"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
