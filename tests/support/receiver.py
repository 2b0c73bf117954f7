"""A client's end of the callbacks: a loopback HTTP server that keeps what it gets."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """Header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def job_id(self) -> str:
        return str(json.loads(self.body)["jobId"])


@dataclass
class Receiver:
    """`answers` are statuses by path, used up one by one; then, and for other paths, 204."""

    origin: str
    answers: dict[str, list[int]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def of(self, path: str) -> list[Received]:
        return [each for each in self.received if each.path == path]

    def wait(self, path: str, count: int = 1) -> list[Received]:
        """What came to the path, once so many have."""
        with self.arrived:
            self.arrived.wait_for(lambda: len(self.of(path)) >= count)
        return self.of(path)


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answers = server.answers.get(self.path)
            status = answers.pop(0) if answers else 204
            self.send_response(status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            content: Any = b"" if status == 204 else f"answer {status}".encode()
            self.end_headers()
            self.wfile.write(content)
            with server.arrived:
                server.received.append(Received(self.path, headers, body))
                server.arrived.notify_all()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server = Receiver(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
