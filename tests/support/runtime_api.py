"""Lambda's Runtime API for one worker process: hands out events, keeps what comes back."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

WORKER = Path(__file__).resolve().parents[2] / "devstack" / "worker"
BOOTSTRAP = WORKER / "bootstrap.py"


@dataclass(frozen=True, slots=True)
class Reply:
    """`kind` is `response`, `error` or `init`."""

    kind: str
    body: Any
    error_type: str | None


class ForkServer:
    """A fork server whose layers are `path`; use it as a context manager. The function `behind` is one
    that no request waits for."""

    def __init__(self, path: Path | None = None, behind: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER / "fork_server.py")],
            stdin=subprocess.PIPE,
            env={
                "PYTHONPATH": str(path or ""),
                "PYTHONUNBUFFERED": "1",
                "OF_THE_SERVER": "1",
                "VSL_BEHIND": behind,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()

    def start(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """A worker; what is returned is its placeholder."""
        assert self.process.stdin is not None
        placeholder = subprocess.Popen(
            ["sleep", "1000"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.process.stdin.write(f"{placeholder.pid}\n".encode())
        self.process.stdin.flush()
        return placeholder


@dataclass
class RuntimeApi:
    """A worker on the function in `folder`; use it as a context manager. With `forks` it is made by
    that fork server; then what it prints stays in `process.stdout`."""

    folder: Path
    own_loop: bool = False
    forks: ForkServer | None = None
    environment: dict[str, str] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None
    process: subprocess.Popen[bytes] | None = None
    _next: list[bytes] = field(default_factory=list)
    _replies: list[Reply] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closing: bool = False

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "probe",
            "VSL_FUNCTION_FOLDER": str(self.folder),
            "VSL_LIVE_ROOTS": str(self.folder),
            "VSL_LIVE_FILES": str(self.folder / "models.json"),
            "_HANDLER": "app.handler",
            **self.environment,
        }
        if self.own_loop:
            environment["VSL_OWN_RUNTIME_LOOP"] = "1"
        if self.forks is not None:
            self.process = self.forks.start(environment)
            return self
        self.process = subprocess.Popen(
            [sys.executable, str(BOOTSTRAP), "app.handler"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self.process is not None
        self.process.kill()
        self.process.communicate(timeout=60)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: object, *, raw: bytes | None = None) -> Reply:
        """Send one event and wait for what comes back, an init error included."""
        self.send(event, raw=raw)
        return self.reply()

    def send(self, event: object, *, raw: bytes | None = None) -> None:
        with self._changed:
            self._next.append(json.dumps(event).encode() if raw is None else raw)
            self._changed.notify_all()

    def reply(self, seconds: float = 90.0) -> Reply:
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._replies:
                assert self._changed.wait(deadline - time.monotonic()), "the worker said nothing"
            return self._replies.pop(0)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Quiet."""

            def do_GET(self) -> None:
                with api._changed:
                    while not api._next and not api._closing:
                        api._changed.wait(0.1)
                    if api._closing:
                        self.close_connection = True
                        return
                    payload = api._next.pop(0)
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "r-1")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 9000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:probe")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def do_POST(self) -> None:
                body = self._body()
                kind = "init" if "/init/error" in self.path else self.path.rpartition("/")[2]
                error_type = self.headers.get("Lambda-Runtime-Function-Error-Type")
                with api._changed:
                    api._replies.append(Reply(kind, json.loads(body), error_type))
                    api._changed.notify_all()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers["Content-Length"]))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

        return Handler
