"""What stands before every API request: the token, then the rate limit."""

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devstack.replicate.problems import Problem
from devstack.replicate.state import State


class ApiAccess:
    """Guards /v1; signed downloads carry their own proof."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        try:
            if not scope["path"].endswith("/download"):
                self._authenticate(Headers(scope=scope).get("authorization", ""))
            headers = self._count(scope["method"], scope["path"])
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_limits)

    def _authenticate(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        known = scheme.lower() in {"bearer", "token"}
        if not known or not hmac.compare_digest(token.strip(), self._state.config.token):
            raise Problem(401)

    def _count(self, method: str, path: str) -> dict[str, str]:
        operation = operation_of(method, path)
        self._state.requests[operation] += 1
        creates = operation == "create"
        limit = self._state.create_limit if creates else self._state.other_limit
        return limit.take()


def operation_of(method: str, path: str) -> str:
    """The name under which a request is counted: create, get, list, cancel, secret or other."""
    if path.endswith("/predictions"):
        return "create" if method == "POST" else "list"
    if path.startswith("/v1/predictions/"):
        return "cancel" if path.endswith("/cancel") else "get"
    return "secret" if path == "/v1/webhooks/default/secret" else "other"
