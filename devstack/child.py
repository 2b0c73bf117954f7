"""One call of a function in a process of its own, so that the libraries it needs do not stay in ours.

The process starts and imports at once. Its standard input is a socket: a line of JSON with the arguments
comes in, a line with the result goes out.
"""

import contextlib
import json
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devstack.paths import REPOSITORY
from devstack.servers.process import spawn, stop, tail


class ChildFailedError(RuntimeError):
    """The function raised an error; the message is its own."""


class Child:
    """`python -m MODULE`, which ends with `serve(function)`. Its output goes to `log`."""

    def __init__(self, module: str, log: Path) -> None:
        self._log = log
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", module]
            self._process = spawn(command, log, cwd=REPOSITORY, stdin=theirs.fileno())

    def call(self, **arguments: Any) -> Any:
        """What the function returns. Raises ChildFailedError."""
        with contextlib.suppress(OSError), self._socket.makefile("rw") as lines:
            lines.write(json.dumps(arguments) + "\n")
            lines.flush()
            if answer := lines.readline():
                document = json.loads(answer)
                if "failed" in document:
                    raise ChildFailedError(document["failed"])
                return document["result"]
        raise ChildFailedError(f"A process that prepares the stack has ended. {tail(self._log)}")

    def stop(self) -> None:
        with contextlib.suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)
        stop(self._process)
        self._socket.close()


def serve(function: Callable[..., Any]) -> None:
    """In the child: answer the one call."""
    with socket.socket(fileno=0).makefile("rw") as lines:
        if not (call := lines.readline()):
            return
        try:
            answer = {"result": function(**json.loads(call))}
        except Exception as error:  # noqa: BLE001 - reported to the parent, with its traceback in the log
            traceback.print_exc()
            answer = {"failed": str(error) or type(error).__name__}
        lines.write(json.dumps(answer) + "\n")
