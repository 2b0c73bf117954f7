"""HTTP connections to AWS that stay open between calls: a new one costs a handshake, with TLS three.

Lambda freezes a process between invocations, so a kept connection may be dead: one that the other
side has closed is thrown away, and a call that finds out too late is sent again on a new one.
"""

import select
import zlib
from collections.abc import Mapping
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

TIMEOUT_SECONDS = 3.0

type Answer = tuple[int, bytes, Mapping[str, str]]

# By scheme and host; taking one out and putting it back are single steps, so threads share them.
_idle: dict[tuple[str, str], list[HTTPConnection]] = {}


def send(method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
    """One request and its answer: status, body, headers by their names in lower case.

    Raises OSError or HTTPException. May send twice: for what may be repeated only.
    """
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    kept = _idle.setdefault((parts.scheme, parts.netloc), [])
    connection = _alive(kept)
    if connection is not None:
        try:
            return _exchange(connection, kept, method, path, data, headers)
        except ConnectionError:  # RemoteDisconnected is one, too
            pass
    return _exchange(_new(parts.scheme, parts.netloc), kept, method, path, data, headers)


def close() -> None:
    """Let go of the connections that rest."""
    for kept in _idle.values():
        while kept:
            kept.pop().close()


def _alive(kept: list[HTTPConnection]) -> HTTPConnection | None:
    while kept:
        try:
            connection = kept.pop()
        except IndexError:  # another thread was faster
            return None
        waiting = select.poll()
        waiting.register(connection.sock, select.POLLIN)
        if not waiting.poll(0):  # nothing to read is right: an end or a stray byte would be
            return connection
        connection.close()
    return None


def _new(scheme: str, host: str) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=_context())
    return HTTPConnection(host, timeout=TIMEOUT_SECONDS)


@cache
def _context() -> "ssl.SSLContext":
    """Made once: it reads the system's certificates."""
    import ssl

    return ssl.create_default_context()


def _exchange(
    connection: HTTPConnection,
    kept: list[HTTPConnection],
    method: str,
    path: str,
    data: bytes | None,
    headers: Mapping[str, str],
) -> Answer:
    reusable = False
    try:
        connection.request(method, path, data, dict(headers))
        response = connection.getresponse()
        content = response.read()
        told = {name.lower(): value for name, value in response.getheaders()}
        reusable = not response.will_close
    finally:
        if reusable:
            kept.append(connection)
        else:
            connection.close()
    checksum = told.get("x-amz-crc32")
    if checksum and int(checksum) != zlib.crc32(content):
        raise HTTPException("The answer was damaged on its way.")
    return response.status, content, told
