"""The ASGI application: admit by the signature, ask the engine's S3, hand its answer on as it comes."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import httpx

from devstack.distribution.description import Distribution
from devstack.distribution.signatures import RefusedError, admit
from devstack.engine import unchecked_signature
from devstack.reloaded import Reloaded

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Headers = list[tuple[bytes, bytes]]

_CHUNK = 65_536
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 30.0
# Of a viewer's headers; no other reaches S3, Authorization and cookies least of all.
_ASKED = (
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
)
_TOLD = (
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
)


class DistributionApp:
    """`description` is the file that a deployment writes; `engine` is the URL of the engine."""

    def __init__(self, description: Path, engine: str) -> None:
        self._deployed = Reloaded(description, Distribution.of)
        self._engine = engine
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Its connections to the engine, in the event loop that opened them."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            return
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        distribution = self._deployed.current()
        added = _added(distribution, sent.get("origin", ""))
        try:
            url = self._place(scope, sent, distribution)
        except RefusedError as error:
            await _say(send, 403, error, added)
            return
        asked = {name: sent[name] for name in _ASKED if name in sent}
        asked |= {"Authorization": unchecked_signature("s3"), "Accept-Encoding": "identity"}
        request = self._origin().build_request(scope["method"], url, headers=asked)
        try:
            answer = await self._ask(request)
        except httpx.HTTPError as error:
            await _say(send, 502, RefusedError("OriginError", type(error).__name__), added)
            return
        try:
            await _hand_on(send, answer, added)
        finally:
            await answer.aclose()

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _place(self, scope: Message, sent: dict[str, str], distribution: Distribution) -> str:
        """Where S3 has what is asked for. Raises RefusedError."""
        if scope["method"] not in distribution.methods:
            raise RefusedError("AccessDenied", "This distribution takes no such method.")
        path = scope["raw_path"].decode("latin-1")
        base = f"{scope['scheme']}://{sent.get('host', '')}{path}"
        query = scope["query_string"].decode("latin-1")
        own = admit(base, query, distribution.keys, time.time()).split("&")
        parts = [part for part in own if part.partition("=")[0] in distribution.query]
        return f"{self._engine}/{distribution.bucket}{path}?{'&'.join(parts)}"

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        """Once more where a connection that was kept had been closed meanwhile: whatever is asked here
        changes nothing. Raises httpx.HTTPError."""
        try:
            return await self._origin().send(request, stream=True)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            return await self._origin().send(request, stream=True)

    def _origin(self) -> httpx.AsyncClient:
        if self._client is None:
            timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
            self._client = httpx.AsyncClient(timeout=timeout, trust_env=False)
        return self._client


def _added(distribution: Distribution, origin: str) -> Headers:
    """By the policy for answers."""
    added = dict(distribution.headers)
    if "*" in distribution.origins or origin in distribution.origins:
        any_origin = "*" in distribution.origins
        added["access-control-allow-origin"] = "*" if any_origin else origin
        added["access-control-expose-headers"] = ",".join(distribution.exposed)
        if not any_origin:
            added["vary"] = "Origin"
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in added.items()]


async def _hand_on(send: Send, answer: httpx.Response, added: Headers) -> None:
    told = [
        (name, value)
        for name, value in answer.headers.raw
        if name.lower().decode("latin-1") in _TOLD
    ]
    headers = [*told, *added, (b"x-cache", b"Miss from cloudfront")]
    start = {"type": "http.response.start", "status": answer.status_code, "headers": headers}
    await send(start)
    async for chunk in answer.aiter_raw(_CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _say(send: Send, status: int, error: RefusedError, added: Headers) -> None:
    """In the words and the form of CloudFront."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
    ).encode()
    told = [
        (b"content-type", b"text/xml"),
        (b"content-length", str(len(body)).encode()),
        (b"x-cache", b"Error from cloudfront"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*told, *added]})
    await send({"type": "http.response.body", "body": body})
