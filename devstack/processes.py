"""Pids that are checked before they are signalled, free ports, and a clean environment."""

import contextlib
import itertools
import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# https://docs.kernel.org/networking/ip-sysctl.html: the first and the last port that connections get.
_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_FIRST = 32_768
_LOWEST, _ENOUGH = 20_000, 2_000
_PARTS, _STRIDE = 128, 37  # without a common divisor: a process comes to all parts in the end
_turns = itertools.count()
_begin = secrets.randbelow(_ENOUGH)


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A pid together with its start time: the pair is never reused, the pid alone is."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """Raises ProcessLookupError when there is no such process."""
        started = start_time(pid)
        if started is None:
            raise ProcessLookupError(pid)
        return cls(pid, started)

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started

    def signal(self, number: int) -> bool:
        """Send the signal if the process is still the one that was recorded."""
        if not self.alive:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return True

    def wait(self, seconds: float) -> bool:
        """True as soon as the process is gone, False when it outlived the time."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True


def start_time(pid: int) -> str | None:
    """When the process started, as the system tells it; None for no process and for a zombie."""
    if os.uname().sysname == "Linux":
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
        return None if fields[0] in {"Z", "X"} else fields[19]
    listing = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # nosec B607 # wherever the system has it
        capture_output=True,
        text=True,
        check=False,
        timeout=5,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    ).stdout.split(maxsplit=1)
    return listing[1].strip() if len(listing) == 2 and not listing[0].startswith("Z") else None


def free_ports(count: int) -> list[int]:
    """Ports that are free. All are held at once, so that no two are the same.

    They lie below those that the kernel gives to connections: on a busy machine one of those may be taken
    before the server that is to have it listens.
    """
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", _candidate()))
                ports.append(probe.getsockname()[1])
        return ports


def is_free(port: int) -> bool:
    """Whether a server could listen there now; also while connections to the one before it linger."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _candidate() -> int:
    """0, the kernel's own choice, where it gives nearly all ports to connections.

    A port is free until its server listens, some seconds later, and stacks that start at the same moment
    must not choose the same one. Their process ids are near each other: each begins in a part of its own
    and goes through it before it goes to another.
    """
    try:
        first = int(_CONNECTIONS.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = _USUAL_FIRST
    if first - _LOWEST <= _ENOUGH:
        return 0
    each = (first - _LOWEST) // _PARTS
    part, place = divmod(next(_turns), each)
    return _LOWEST + (os.getpid() + _STRIDE * part) % _PARTS * each + (_begin + place) % each


# For glibc: few arenas however many threads, and what is large goes back when it is freed.
_THRIFTY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144"}


def minimal_environment(temporary: Path) -> dict[str, str]:
    """What a child needs of our environment and nothing more: no AWS_*, no proxy, no PYTHON*."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "USER") if name in os.environ
    }
    return {
        "LANG": "C.UTF-8",
        **kept,
        "TMPDIR": str(temporary),
        "PYTHONUNBUFFERED": "1",
        **_THRIFTY,
    }
