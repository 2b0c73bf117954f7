"""The ASGI application: match, check who calls, validate, integrate, answer."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread

from devstack.gateway.access import Access
from devstack.gateway.authorizer import authorize
from devstack.gateway.compression import compressed
from devstack.gateway.document import ApiDocument, Match, Operation
from devstack.gateway.integrations import Backend, Integration
from devstack.gateway.metrics import RequestMetrics
from devstack.gateway.request import Pairs, Request
from devstack.gateway.responses import Answer, GatewayError, gateway_response
from devstack.gateway.server import CASED_NAMES
from devstack.gateway.validation import body_errors
from devstack.reloaded import Reloaded

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

_MAX_BODY = 10 * 1024 * 1024
_THREADS = 100
_WITHOUT_BODY = {204, 304}


class Gateway:
    """`access` is whom an operation that asks for credentials lets in."""

    def __init__(
        self, api: ApiDocument, backend: Backend, stage: str, access: Access | None = None
    ) -> None:
        self._api = api
        self._backend = backend
        self._stage = stage
        self._access = access or Access()

    def handle(self, request: Request) -> Answer:
        """Answer one request; blocks while the integration works."""
        accepted, minimum = request.header("Accept-Encoding"), self._api.minimum_compression
        return compressed(self._answer(request), accepted, minimum)

    def _answer(self, request: Request) -> Answer:
        match = self._api.match(request.path, request.method)
        resource = match.operation.resource if match else request.path
        try:
            return self._integrate(match, request)
        except GatewayError as error:
            context = request.context(resource, self._stage)
            return gateway_response(error, self._api.gateway_responses, context)

    def _integrate(self, match: Match | None, request: Request) -> Answer:
        if match is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        self._check(match, request)
        return Integration(self._api, match, request, self._stage, self._backend).answer()

    def _check(self, match: Match, request: Request) -> None:
        operation = match.operation
        if len(request.body) > _MAX_BODY:
            raise GatewayError("REQUEST_TOO_LARGE", "Request Too Long")
        if operation.access == "KEYS":
            authorize(self._backend, match, request, self._stage)
        else:
            self._access.admit(operation.access, request)
        if operation.validates_parameters:
            self._check_parameters(operation, match, request)
        if operation.validates_body:
            self._check_body(operation, request)

    def _check_parameters(self, operation: Operation, match: Match, request: Request) -> None:
        values = request.parameters(match)
        present = {
            "path": set(values["path"]),
            "query": set(values["querystring"]),
            "header": {name.lower() for name in values["header"]},
        }
        missing = [
            name
            for place, name in operation.required_parameters
            if (name.lower() if place == "header" else name) not in present.get(place, {name})
        ]
        if missing:
            text = f"Missing required request parameters: [{', '.join(missing)}]"
            raise GatewayError("BAD_REQUEST_PARAMETERS", text)

    def _check_body(self, operation: Operation, request: Request) -> None:
        schema = operation.schemas.get(request.content_type)
        if schema is None:
            return
        errors = body_errors(schema, self._api.document.get("components", {}), request.text)
        if errors:
            details = f"[{', '.join(errors)}]"
            raise GatewayError("BAD_REQUEST_BODY", "Invalid request body", details)


class GatewayApp:
    """ASGI around a Gateway, made anew when the document on disk changes (`vsl deploy`)."""

    def __init__(self, document: Path, backend: Backend, metrics: RequestMetrics) -> None:
        self._backend = backend
        self._metrics = metrics
        self._deployed = Reloaded(document, self._gateway)
        self._limiter: CapacityLimiter | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self._limiter = self._limiter or CapacityLimiter(_THREADS)
        request = await _read(scope, receive)
        gateway = self._deployed.current()
        answer = await to_thread.run_sync(gateway.handle, request, limiter=self._limiter)
        self._metrics.count(answer.status)
        # What a template leaves there is no body: HTTP has none with these.
        whole = b"" if answer.status in _WITHOUT_BODY else answer.body
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers
        ]
        headers += [
            (b"x-amzn-RequestId", request.id.encode()),
            (b"content-length", str(len(whole)).encode()),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else whole
        await send({"type": "http.response.body", "body": body})

    def _gateway(self, deployed: Mapping[str, Any]) -> Gateway:
        return Gateway(
            ApiDocument(deployed["document"]),
            self._backend,
            self._metrics.of(deployed["stage"]),
            Access.of(deployed["access"]),
        )


async def _read(scope: Message, receive: Receive) -> Request:
    body = b""
    more = True
    while more and len(body) <= _MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    source = (scope.get("client") or ("127.0.0.1", 0))[0]
    port = str((scope.get("server") or ("127.0.0.1", 0))[1])
    return Request(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        _forwarded(_cased(scope["headers"]), source, scope.get("scheme", "http"), port),
        body,
        source,
        scope.get("raw_path", b"").decode("latin-1"),
    )


def _forwarded(headers: Pairs, source: str, scheme: str, port: str) -> Pairs:
    """With the headers API Gateway adds; what a client claims in their place is dropped."""
    added = {"X-Forwarded-For": source, "X-Forwarded-Port": port, "X-Forwarded-Proto": scheme}
    lowered = {name.lower() for name in added}
    return (*(pair for pair in headers if pair[0].lower() not in lowered), *added.items())


def _cased(headers: list[tuple[bytes, bytes]]) -> Pairs:
    """Header pairs under the names the client wrote (devstack/gateway/server.py passes them on)."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    if pairs and pairs[-1][0] == CASED_NAMES:
        names = pairs.pop()[1].split(",")
        return tuple((name, value) for name, (_, value) in zip(names, pairs, strict=True))
    return tuple(pairs)
