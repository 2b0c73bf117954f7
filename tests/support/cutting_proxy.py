"""A proxy in front of the API that loses answers: the request arrives, what comes back does not."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support import web

_PASSED = {
    *("authorization", "content-type", "idempotency-key", "prefer", "vsl-user"),
    "x-stainless-retry-count",
}
_ACCEPTED = {200, 201, 202}


@dataclass
class Proxy:
    """`lose` answers of accepted requests are lost; `lost` tells how many were. `how`: the connection is
    `cut`, `reset`, or answered by a gateway that has waited long enough (`504`). `answers` are the statuses
    of all requests."""

    url: str
    lose: int
    how: str = "cut"
    lost: int = 0
    answers: list[int] = field(default_factory=list)


@contextmanager
def cutting_proxy(target: str, lose: int = 1, how: str = "cut") -> Iterator[Proxy]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.forward(b"")

        def do_POST(self) -> None:
            self.forward(self.rfile.read(int(self.headers["Content-Length"])))

        def forward(self, body: bytes) -> None:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() in _PASSED
            }
            answer = web.request(
                self.command, target + self.path, content=body, headers=headers,
            )  # fmt: skip
            proxy.answers.append(answer.status_code)
            self.close_connection = True
            made = self.command == "POST" and answer.status_code in _ACCEPTED
            if made and proxy.lost < proxy.lose:
                proxy.lost += 1
                self.lose()
                return
            self.send_response(answer.status_code)
            for name in {"content-type", "retry-after"} & set(answer.headers):
                self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def lose(self) -> None:
            if proxy.how == "reset":  # without a farewell: the client reads a reset
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            elif proxy.how == "504":
                self.send_error(504)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}", lose, how)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
