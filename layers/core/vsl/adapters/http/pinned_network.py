"""A network backend for httpcore that connects only to addresses it has verified.

The name is resolved once, every address is checked, and the connection goes to exactly such an
address: a name that changes its answer between check and connect (DNS rebinding) gains nothing.
TLS still verifies the certificate against the name, because httpcore names the host itself.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

READ_SIZE = 256 * 1024
"""Bytes per read: httpcore asks for 64 KiB and takes more, which saves half of its work per byte."""

_SocketOptions = Iterable[Any]


class PinnedNetwork(httpcore.NetworkBackend):
    """`check_address` gets a host and each address it leads to, and raises what refuses it.

    `deadline` is a moment of `time.monotonic()` after which every read and write times out.
    """

    def __init__(
        self,
        check_address: Callable[[str, str], None],
        deadline: float,
        inner: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._check_address = check_address
        self._deadline = deadline
        self._inner = inner or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _SocketOptions | None = None,
    ) -> "PinnedStream":
        """Raises what `check_address` does when any address of the host is refused."""
        addresses = _resolve(host, port)
        for address in addresses:
            self._check_address(host, address)
        failure: Exception | None = None
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(
                    address,
                    port,
                    _remaining(self._deadline, timeout),
                    local_address,
                    socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return PinnedStream(stream, self._deadline)
        raise failure or httpcore.ConnectError(f"{host} has no address")


class PinnedStream(httpcore.NetworkStream):
    """A stream whose every operation also ends at the deadline, so that drips cannot keep it open."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max(max_bytes, READ_SIZE), _remaining(self._deadline, timeout))

    def readinto(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Read into the caller's memory, without a copy where there is a socket; 0 at the end."""
        limit = _remaining(self._deadline, timeout)
        connection: socket.socket | None = self._stream.get_extra_info("socket")
        if connection is None:
            data = self._stream.read(len(buffer), limit)[: len(buffer)]
            buffer[: len(data)] = data
            return len(data)
        try:
            connection.settimeout(limit)
            return connection.recv_into(buffer)
        except TimeoutError as error:
            raise httpcore.ReadTimeout("the server sent nothing for too long") from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _remaining(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "PinnedStream":
        limit = _remaining(self._deadline, timeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, limit)
        return PinnedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _resolve(host: str, port: int) -> list[str]:
    """Every address of the host, in the resolver's order, each once."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter for what is no name at all
        raise httpcore.ConnectError(f"{host} cannot be resolved") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _remaining(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the whole download is over")
    return left if timeout is None else min(timeout, left)
