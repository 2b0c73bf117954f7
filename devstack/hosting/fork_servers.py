"""Fork servers for the engine's workers (Linux): one for each interpreter and set of layers.

The engine starts a worker by running the function's `bootstrap`. Ours writes its pid, the interpreter
and PYTHONPATH into a named pipe and then only holds the worker's place (devstack/template.py). What
is written is read here and handed to the fork server of its kind, which makes the worker
(devstack/worker/fork_server.py). A kind's server is started at its first worker.
"""

import os
import select
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from devstack.hosting.functions import behind

WARM = 0
"""In place of a pid: have the server ready, make no worker."""
_PATIENCE_SECONDS = 120.0
_SERVER = Path(__file__).resolve().parent.parent / "worker" / "fork_server.py"


class ForkServers:
    """Serves the named pipe at `queue`, which is made here."""

    def __init__(self, queue: Path) -> None:
        os.mkfifo(queue, 0o600)
        # Read and write: the pipe never ends, however many writers come and go.
        self._queue = os.open(queue, os.O_RDWR)
        self._servers: dict[tuple[str, str], _ForkServer] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._serve, name="fork-servers", daemon=True).start()

    def prepare(self, interpreter: str, path: str) -> None:
        """Wait until the server of this kind has imported everything, or has ended."""
        with self._lock:
            server = self._server(interpreter, path)
        server.settled.wait(_PATIENCE_SECONDS)

    def _serve(self) -> None:
        rest = b""
        while True:
            *lines, rest = (rest + os.read(self._queue, 65536)).split(b"\n")
            for line in lines:
                try:
                    pid, interpreter, path = os.fsdecode(line).split("\t")
                    self._hand_over(int(pid), interpreter, path)
                except (OSError, ValueError) as error:  # the worker's start fails by its own limit
                    print(f"no worker for {line!r}: {error}", flush=True)

    def _hand_over(self, placeholder: int, interpreter: str, path: str) -> None:
        with self._lock:
            server = self._server(interpreter, path)
            if placeholder != WARM and not server.take(placeholder):
                self._servers[interpreter, path] = server = _ForkServer(interpreter, path)
                server.take(placeholder)

    def _server(self, interpreter: str, path: str) -> "_ForkServer":
        server = self._servers.get((interpreter, path))
        if server is None or server.ended:
            self._servers[interpreter, path] = server = _ForkServer(interpreter, path)
        return server


class _ForkServer:
    def __init__(self, interpreter: str, path: str) -> None:
        environment = {**os.environ, "VSL_BEHIND": os.pathsep.join(sorted(behind()))}
        if path:
            environment["PYTHONPATH"] = path
        self._importing, theirs = os.pipe()
        self._process = subprocess.Popen(
            [interpreter, str(_SERVER), str(theirs)],
            stdin=subprocess.PIPE,
            env=environment,
            pass_fds=(theirs,),
        )
        os.close(theirs)
        self.settled = threading.Event()
        """It has imported everything, or it has ended: either closes its end of the pipe."""
        self._placeholders: list[int] = []
        """As pidfds: a number may be another process's by now."""
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, name="fork-server", daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def take(self, placeholder: int) -> bool:
        """False if the server has ended."""
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        with self._lock:
            self._forget_ended()
            try:
                self._process.stdin.write(f"{placeholder}\n".encode())
                self._process.stdin.flush()
            except BrokenPipeError:
                return False
            with suppress(ProcessLookupError):
                self._placeholders.append(os.pidfd_open(placeholder))
            return True

    def _watch(self) -> None:
        """When the server ends its workers do; the engine learns it from the placeholders."""
        os.read(self._importing, 1)
        os.close(self._importing)
        self.settled.set()
        self._process.wait()
        with self._lock:
            for placeholder in self._placeholders:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(placeholder, signal.SIGKILL)
                os.close(placeholder)
            self._placeholders.clear()

    def _forget_ended(self) -> None:
        poll = select.poll()
        for placeholder in self._placeholders:
            poll.register(placeholder, select.POLLIN)
        for placeholder, _ in poll.poll(0):
            self._placeholders.remove(placeholder)
            os.close(placeholder)
