"""TLS in front of a PostgreSQL server that was built without it, as a managed one has."""

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_CHUNK = 65536


class Front:
    """`port` is where it listens; `secured` counts the handshakes that came to an end."""

    def __init__(self, certificate: Path, server_port: int) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.secured = 0

    def serve(self) -> None:
        """One client after the other, until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, contextlib.suppress(OSError):
                    self._serve(client)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(10)
        while (asked := client.recv(8)) != _SSL_REQUEST:
            if not asked:
                return
            client.sendall(b"N")  # it asks for another kind of encryption first
        client.sendall(b"S")
        with (
            self._context.wrap_socket(client, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", self._server_port), timeout=10) as server,
        ):
            self.secured += 1
            while True:
                ready = [secured] if secured.pending() else _readable(secured, server)
                for source in ready:
                    data = source.recv(_CHUNK)
                    if not data:
                        return
                    (server if source is secured else secured).sendall(data)


def _readable(*sockets: socket.socket) -> list[socket.socket]:
    ready, _, _ = select.select(sockets, [], [], 10)
    return ready


@contextmanager
def tls_front(certificate: Path, server_port: int) -> Iterator[Front]:
    front = Front(certificate, server_port)
    thread = threading.Thread(target=front.serve, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        front.close()
        thread.join(10)
