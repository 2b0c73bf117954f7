"""Makes function workers by fork, from a process that has imported the libraries once (Linux).

`fork_server.py [DESCRIPTOR]`, started by the engine (devstack/hosting/fork_servers.py) on the functions'
interpreter. It closes the descriptor when everything is imported.
A line on standard input is the pid of a placeholder: the process that the engine started as the
worker, and watches. The worker takes over its environment, folder and output. When one of the two
ends, the other is killed; when standard input ends, all are.

One thread, and nothing but imports and clients of AWS (clients.py) before the fork: no connection and
no lock that is held can be shared.
"""

import ctypes
import gc
import importlib
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Beside this file, which the functions' interpreter has on its path.
bootstrap: Any = importlib.import_module("bootstrap")
clients: Any = importlib.import_module("clients")
preload: Any = importlib.import_module("preload")

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_BEHIND = frozenset(os.environ.get("VSL_BEHIND", "").split(os.pathsep))
"""Functions that no request waits for (devstack/hosting/functions.py)."""
_LOWER_PRIORITY = 10


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker and its placeholder, both as pidfds: a number may be another process's by now."""

    pid: int
    own: int
    placeholder: int


class ForkServer:
    def __init__(self) -> None:
        self._code = preload.Code()
        self._clients = clients.Clients()
        self._pid = os.getpid()
        self._libc = ctypes.CDLL(None)
        self._workers: dict[int, Worker] = {}
        """By either pidfd."""
        self._poll = select.poll()
        self._poll.register(0, select.POLLIN)

    def run(self) -> None:
        rest = b""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor != 0:
                    self._ended(descriptor)
                    continue
                read = os.read(0, 65536)
                if not read:
                    self._kill_all()
                    return
                *lines, rest = (rest + read).split(b"\n")
                self._code.refresh()
                for line in lines:
                    self._make(int(line))

    def _make(self, placeholder: int) -> None:
        """A placeholder that has gone needs no worker."""
        try:
            watched = os.pidfd_open(placeholder)
        except OSError:
            return
        try:
            if _parent(placeholder) != os.getppid():  # another process has its number by now
                raise ProcessLookupError(placeholder)
            environment = _environment(placeholder)
            folder = Path(f"/proc/{placeholder}/cwd").readlink()
            # Not 1, which is the queue while the placeholder writes into it; they are one pipe.
            output = os.open(f"/proc/{placeholder}/fd/2", os.O_WRONLY)
        except OSError:
            os.close(watched)
            return
        self._clients.make(environment)
        pid = os.fork()
        if pid == 0:
            self._become_worker(environment, folder, output)
        os.close(output)
        worker = Worker(pid, os.pidfd_open(pid), watched)
        for descriptor in (worker.own, worker.placeholder):
            self._workers[descriptor] = worker
            self._poll.register(descriptor, select.POLLIN)

    def _become_worker(self, environment: dict[str, str], folder: Path, output: int) -> None:
        """In the child; does not return."""
        status = 1
        try:
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != self._pid:
                os._exit(1)
            name = environment.get("AWS_LAMBDA_FUNCTION_NAME", "worker")
            self._libc.prctl(_PR_SET_NAME, name.removeprefix("vsl-local-").encode(), 0, 0, 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            if name in _BEHIND:
                os.nice(_LOWER_PRIORITY)
            self._clients.check(environment)
            gc.enable()
            bootstrap.serve(environment["_HANDLER"])
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 - what the interpreter would do
            sys.excepthook(*sys.exc_info())
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _ended(self, descriptor: int) -> None:
        worker = self._workers.get(descriptor)
        if worker is None:  # its other half was in the same answer of the poll
            return
        self._kill(worker)
        for each in (worker.own, worker.placeholder):
            self._poll.unregister(each)
            del self._workers[each]
            os.close(each)
        os.waitpid(worker.pid, 0)

    def _kill_all(self) -> None:
        for worker in self._workers.values():
            self._kill(worker)

    def _kill(self, worker: Worker) -> None:
        for each in (worker.own, worker.placeholder):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(each, signal.SIGKILL)


def _parent(pid: int) -> int:
    """Raises OSError if the process is gone."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _environment(pid: int) -> dict[str, str]:
    """Raises OSError if the process is gone."""
    while not (content := Path(f"/proc/{pid}/environ").read_bytes()):
        time.sleep(0.001)  # it is in the middle of an exec
    pairs = (entry.partition(b"=") for entry in content.split(b"\0") if b"=" in entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


if __name__ == "__main__":
    server = ForkServer()
    for descriptor in sys.argv[1:]:
        os.close(int(descriptor))
    server.run()
