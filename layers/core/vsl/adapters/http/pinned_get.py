"""One GET on a connection of its own: the head through h11, the body straight from the socket.

h11 reads the head as strictly as it does for every client, and the bodies that come without a
length. A body with one is read into a buffer that is used again and again, which takes a third of
the processor time of going through h11 and httpcore (docs/performance.md).
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11
import httpcore

from vsl.adapters.http.pinned_network import READ_SIZE, PinnedNetwork, PinnedStream

_PORTS = {"http": 80, "https": 443}
_HEADERS = [("Accept", "*/*"), ("Accept-Encoding", "identity"), ("User-Agent", "vsl")]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for the connection with its handshake, and for each read and write."""

    connect: float
    read: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Headers by their names in lower case; of a repeated header the last.

    `length` is what the server declared of the body, unless that comes in chunks. A chunk is good
    until the next one is asked for.
    """

    status: int
    headers: Mapping[str, str]
    length: int | None
    chunks: Iterator[bytes | memoryview]


@contextmanager
def get(
    url: str, network: PinnedNetwork, tls: Callable[[], ssl.SSLContext], timeouts: Timeouts
) -> Iterator[Answer]:
    """`tls` is asked for https alone. Raises errors of httpcore and of h11, now and from `chunks`."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    stream = network.connect_tcp(host, parts.port or _PORTS[parts.scheme], timeouts.connect)
    try:
        if parts.scheme == "https":
            stream = stream.start_tls(tls(), host, timeouts.connect)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [("Host", parts.netloc), *_HEADERS, ("Connection", "close")]
        protocol = h11.Connection(h11.CLIENT)
        request = protocol.send(h11.Request(method="GET", target=target, headers=headers))
        protocol.send(h11.EndOfMessage())
        stream.write(request or b"", timeouts.read)
        yield _answer(protocol, stream, timeouts.read)
    finally:
        stream.close()


def _answer(protocol: h11.Connection, stream: PinnedStream, timeout: float) -> Answer:
    event = _next_event(protocol, stream, timeout)
    while isinstance(event, h11.InformationalResponse):
        event = _next_event(protocol, stream, timeout)
    if not isinstance(event, h11.Response):
        raise httpcore.RemoteProtocolError("the server closed without an answer")
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
    declared = None if "transfer-encoding" in headers else headers.get("content-length")
    if declared is None:
        chunks = _framed(protocol, stream, timeout)
        return Answer(event.status_code, headers, None, chunks)
    length = int(declared)  # h11 has made sure that it is a number, and one only
    begun, _ = protocol.trailing_data
    return Answer(event.status_code, headers, length, _plain(begun, length, stream, timeout))


def _framed(protocol: h11.Connection, stream: PinnedStream, timeout: float) -> Iterator[bytes]:
    while isinstance(event := _next_event(protocol, stream, timeout), h11.Data):
        yield bytes(event.data)


def _plain(
    begun: bytes, length: int, stream: PinnedStream, timeout: float
) -> Iterator[bytes | memoryview]:
    """`length` bytes, the first of which arrived together with the head."""
    begun = begun[:length]
    if begun:
        yield begun
    left = length - len(begun)
    buffer = memoryview(bytearray(min(left, READ_SIZE)))
    while left:
        size = stream.readinto(buffer[:left], timeout)
        if not size:
            raise httpcore.RemoteProtocolError("the body is shorter than declared")
        left -= size
        yield buffer[:size]


def _next_event(protocol: h11.Connection, stream: PinnedStream, timeout: float) -> object:
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(stream.read(READ_SIZE, timeout))
    return event
