"""HTTPS to a verified address: the certificate must still be the name's."""

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509

from tests.support.certificates import self_signed
from tests.support.file_server import answer
from vsl.adapters.http.download import Downloads
from vsl.domain.errors import DownloadFailed

pytestmark = pytest.mark.integration

CONTENT = b"content"


class _Rerouted(httpcore.SyncBackend):
    """Brings connections for a public address to a port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []

    def connect_tcp(self, host: str, port: int, *more: Any, **named: Any) -> httpcore.NetworkStream:
        self.asked.append(f"{host}:{port}")
        return super().connect_tcp("127.0.0.1", self.port, *more, **named)


@pytest.mark.parametrize("name", ["files.test", "other.test"])
def test_tls_verifies_the_name_although_the_connection_goes_to_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The server holds a certificate for files.test; asked as other.test it must not be believed."""
    certificate = self_signed(tmp_path, x509.DNSName("files.test"))
    seen: list[str | None] = []
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    server_side.sni_callback = lambda _socket, asked, _context: seen.append(asked)
    client_side = ssl.create_default_context(cafile=str(certificate))
    address = ("93.184.215.14", 443)
    look_up = socket.getaddrinfo

    def resolve(host: str, *more: Any, **named: Any) -> Any:
        if host == "127.0.0.1":
            return look_up(host, *more, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Host"])
            answer(self, 200, Content_Length=str(len(CONTENT)))
            self.wfile.write(CONTENT)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = server_side.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the refused handshake
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    backend = _Rerouted(server.server_port)
    downloads = Downloads(
        [f"https://{name}"], max_bytes=1000, ssl_context=client_side, backend=backend
    )
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        if name == "files.test":
            with downloads.open("https://files.test/a.png") as download:
                assert b"".join(download.chunks) == CONTENT
            assert seen == ["files.test", "files.test"]
        else:
            with pytest.raises(DownloadFailed), downloads.open("https://other.test/a.png"):
                pytest.fail("the download was opened")
            assert seen == ["other.test"]
        assert backend.asked == ["93.184.215.14:443"]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
