"""Breaking connections on purpose, which ASGI has no word for.

The server of `server.py` registers every connection's transport by the peer's address.
"""

import asyncio

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_transports: dict[tuple[str, int], asyncio.Transport] = {}


class ConnectionBroken(Exception):
    """Raised where there is no connection to break: the app is called without its server."""


class BreakableProtocol(H11Protocol):
    """HTTP/1.1 whose connections `break_connection` can find."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            _transports[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.client is not None:
            _transports.pop(self.client, None)


async def break_connection(scope: Scope) -> None:
    """Close the request's connection once what was written is out. Raises ConnectionBroken."""
    client = scope.get("client")
    transport = _transports.get(tuple(client)) if client else None
    if transport is None:
        raise ConnectionBroken
    transport.close()
    while tuple(client or ()) in _transports:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.005)
