"""Child processes that never outlive us, their logs, and free ports."""

import contextlib
import functools
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Literal

from devstack.processes import free_ports

type Identity = Literal["current", "namespace", "nobody"]
type Process = subprocess.Popen[bytes]

_LAUNCHER = Path(__file__).with_name("launch.py")
_POLL_SECONDS = 0.005
_LOWER_PRIORITY = 5  # a third of a share: on a busy machine it still gets on


class ServerError(RuntimeError):
    """A server did not start; the text ends with the last lines of its log."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on at this moment."""
    return free_ports(1)[0]


def spawn(
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    identity: Identity = "current",
    death_signal: signal.Signals = signal.SIGTERM,
) -> Process:
    """Start `command` (absolute path first), its output appended to `log`.

    The child gets `death_signal` when this process ends, however it ends, and has a session of its
    own, so that Ctrl-C reaches it only through `stop`.
    """
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    arguments = [str(os.getpid()), str(int(death_signal)), identity]

    def start() -> Process:
        with log.open("ab") as output:
            return subprocess.Popen(
                [*launcher, *arguments, *map(str, command)],
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    return _in_spawner_thread(start)


def give_way(process: Process) -> None:
    """Let everything else have the processor first.

    A process that was spawned here has a session of its own, and where Linux shares the processor out
    among sessions, that has a priority beside the process's.
    """
    now = os.getpriority(os.PRIO_PROCESS, process.pid)
    os.setpriority(os.PRIO_PROCESS, process.pid, max(now, _LOWER_PRIORITY))
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/autogroup").write_text(str(_LOWER_PRIORITY))


def stop(process: Process, *signals: signal.Signals, patience: float = 5.0) -> None:
    """Send the signals one after the other (SIGTERM by default), SIGKILL last, and reap.

    `patience` is how many seconds each signal gets. A process that has ended is fine.
    """
    for number in (*(signals or (signal.SIGTERM,)), signal.SIGKILL):
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def await_ready(
    name: str, process: Process, log: Path, ready: Callable[[], bool], timeout: float
) -> None:
    """Return when `ready` says so. Raises ServerError when the process ends or time is up."""
    deadline = time.monotonic() + timeout
    while not ready():
        if process.poll() is not None:
            raise ServerError(f"{name} ended with status {process.returncode}.\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ServerError(f"{name} was not ready after {timeout:g} s.\n{tail(log)}")
        time.sleep(_POLL_SECONDS)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, headed by its path."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join([f"{log}:", *text.splitlines()[-lines:]])


def unprivileged_identity() -> Identity:
    """The identity for a program that refuses to run as root or as a uid without a name."""
    if os.geteuid() != 0 and _has_name():
        return "current"
    return "namespace" if os.geteuid() != 0 or _namespaces_work() else "nobody"


def _has_name() -> bool:
    import pwd  # noqa: PLC0415 - absent on Windows

    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


@functools.cache
def _namespaces_work() -> bool:
    probe = [sys.executable, "-I", "-S", str(_LAUNCHER), "0", "0", "namespace"]
    return subprocess.run(probe, check=False, capture_output=True, timeout=10).returncode == 0


_requests: queue.SimpleQueue[tuple[Callable[[], Process], Future[Process]]] = queue.SimpleQueue()


def _in_spawner_thread(start: Callable[[], Process]) -> Process:
    """Run `start` in a thread that lives as long as this process.

    Linux ties the death signal to the *thread* that forked: a child started from a short-lived
    worker thread would be told to die as soon as that worker is done.
    """
    _spawner()
    future: Future[Process] = Future()
    _requests.put((start, future))
    return future.result()


@functools.cache
def _spawner() -> threading.Thread:
    thread = threading.Thread(target=_serve_requests, name="spawner", daemon=True)
    thread.start()
    return thread


def _serve_requests() -> None:
    while True:
        start, future = _requests.get()
        try:
            future.set_result(start())
        except BaseException as error:  # noqa: BLE001 - raised in the caller
            future.set_exception(error)
