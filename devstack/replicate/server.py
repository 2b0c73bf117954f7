"""Serving the stand-in over HTTP: in the foreground, or in a thread beside tests."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from devstack.replicate.app import create_app
from devstack.replicate.config import Config
from devstack.replicate.connections import BreakableProtocol


class StandInServer(uvicorn.Server):
    """One stand-in on one socket, bound at once: `url` is known before it serves."""

    def __init__(self, config: Config, host: str = "127.0.0.1", port: int = 0) -> None:
        self.config_of_stand_in = config
        self.app = create_app(config)
        super().__init__(
            uvicorn.Config(
                self.app,
                http=BreakableProtocol,
                ws="none",
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._socket = listening(host, port)
        bound = self._socket.getsockname()[1]
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # nosec B104 # recognised, not bound
            host, f"[{host}]" if ":" in host else host
        )
        self.url = f"http://{shown}:{bound}"

    def run_here(self) -> None:
        """Serve until told to stop (SIGINT, SIGTERM or `should_exit`)."""
        asyncio.run(self.serve(sockets=[self._socket]))


def listening(host: str, port: int) -> socket.socket:
    """A socket asyncio takes for TCP: only then it switches off Nagle's delay of 40 ms an answer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def running(config: Config | None = None) -> Iterator[StandInServer]:
    """A stand-in in a thread of its own for the length of the block."""
    server = StandInServer(config or Config())
    thread = threading.Thread(target=server.run_here, name="replicate-stand-in", daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield server
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _wait_until_started(server: StandInServer, thread: threading.Thread) -> None:
    pause = threading.Event()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the stand-in did not start")
        pause.wait(0.01)
