"""An API on loopback whose answers a test writes down, one for each request."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`status` 0 cuts the connection."""

    status: int
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, code: str, **members: Any) -> Answer:
    body = {"type": "/", "title": code, "status": status, "code": code, "detail": "why", **members}
    headers = {"Retry-After": str(members["retryAfter"])} if "retryAfter" in members else {}
    return Answer(status, body, headers)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class ScriptedApi:
    url: str
    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted_api(*answers: Answer) -> Iterator[ScriptedApi]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            api.asked.append(Asked(self.command, self.path, headers))
            answer = api.answers.pop(0)
            self.close_connection = True
            if answer.status == 0:
                return
            content = json.dumps(answer.document).encode() if answer.document is not None else b""
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.answer()

        def do_DELETE(self) -> None:
            self.answer()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api = ScriptedApi(f"http://127.0.0.1:{server.server_port}", list(answers))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
