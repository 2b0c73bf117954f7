"""What the servers of a stack have in common: start, wait until ready, stop."""

import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from devstack.paths import REPOSITORY
from devstack.servers.process import Process, await_ready, give_way, spawn, stop

READY_SECONDS = 120.0


class Server:
    """One process that listens on 127.0.0.1:`port`. Subclasses define how it starts and when it is ready."""

    title: str
    signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    """Those that stop it, one after the other."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self.process: Process | None = None

    def start(self, timeout: float = READY_SECONDS) -> None:
        """Return when the server answers. Raises ServerError."""
        self.process = self._spawn()
        try:
            await_ready(self.title, self.process, self.log, self._ready, timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process, *self.signals)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self) -> Process:
        raise NotImplementedError

    def _ready(self) -> bool:
        """Whether it accepts connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Module(Server):
    """`python -m` a module of ours. One that `gives_way` runs at a lower priority once it is ready."""

    def __init__(
        self,
        title: str,
        port: int,
        log: Path,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        gives_way: bool = False,
    ) -> None:
        super().__init__(port, log)
        self.title = title
        self._gives_way = gives_way
        self._command = [sys.executable, "-m", *words, "--port", str(port)]
        self._environment = environment

    def start(self, timeout: float = READY_SECONDS) -> None:
        super().start(timeout)
        if self._gives_way and self.process is not None:
            give_way(self.process)

    def _spawn(self) -> Process:
        return spawn(self._command, self.log, env=self._environment, cwd=REPOSITORY)
