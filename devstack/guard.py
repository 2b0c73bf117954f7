"""The guard: a tiny process that outlives the supervisor just long enough to clear up after it.

It reads lines from its standard input, a pipe whose other end only the supervisor holds. However
the supervisor dies, the pipe ends, and the guard stops what is still recorded. Lines are
`+PID SIGNAL` (watch), `-PID` (no longer), `rm PATH` (remove at the end) and `bye` (all is done).

Run as `python -I -S guard.py STATE` (the folder is for people who read `ps`), standard library only.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from devstack.processes import ProcessId, start_time

_GRACE_SECONDS = 3.0


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watched: dict[int, tuple[ProcessId, int]] = {}
    doomed: list[Path] = []
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "bye":
            return
        if word == "rm":
            doomed.append(Path(rest))
        elif word.startswith("+"):
            with contextlib.suppress(ProcessLookupError):
                pid = int(word[1:])
                watched[pid] = (ProcessId.of(pid), int(rest or signal.SIGTERM))
        elif word.startswith("-"):
            watched.pop(int(word[1:]), None)
    _stop_all(watched)
    for path in doomed:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _stop_all(watched: dict[int, tuple[ProcessId, int]]) -> None:
    """Each watched process leads a session of its own: the group is killed with it."""
    for process, number in watched.values():
        process.signal(number)
    deadline = time.monotonic() + _GRACE_SECONDS
    for process, _ in watched.values():
        process.wait(max(0.0, deadline - time.monotonic()))
    for pid, (process, _) in watched.items():
        if not process.alive and start_time(pid) is not None:
            continue  # the pid is another's by now, so nothing of our group is left
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
