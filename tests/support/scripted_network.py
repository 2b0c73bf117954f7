"""A network without sockets: names lead wherever a test wants, and each connection has its answer."""

import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import pytest

PUBLIC = "93.184.215.14"
NO_ROOTS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the scripted network plays no TLS


class ScriptedNetwork(httpcore.MockBackend):
    """One answer per connection, in order; keeps what was connected to and what was sent."""

    def __init__(self, *answers: bytes | list[bytes]) -> None:
        self._answers = [[answer] if isinstance(answer, bytes) else answer for answer in answers]
        self.connected: list[tuple[str, int]] = []
        self.sent = b""

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.connected.append((host, port))
        stream = httpcore.MockStream(list(self._answers.pop(0)))
        stream.write = self._write  # type: ignore[method-assign]
        return stream

    def _write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.sent += buffer


def scripted_resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Every name resolves to a public address unless the test says otherwise, per look-up."""
    answers: list[Iterable[str]] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        found = answers.pop(0) if answers else [PUBLIC]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return lambda *lists: answers.extend(lists)
