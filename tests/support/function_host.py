"""The product's functions in one process, for a test that wants them with another environment.

`Host` starts it; the process itself runs on the functions' own interpreter, reads one JSON line per
invocation and writes one per answer. Handlers, settings and adapters are the real ones.
"""

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_SECONDS = 20


class Host:
    """`environment` is all the process has; what the functions log goes to the file `log`."""

    def __init__(self, python: Path, environment: Mapping[str, str], log: Path) -> None:
        self._turn = threading.Lock()
        with log.open("ab") as target:
            self._process = subprocess.Popen(
                [str(python), __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=target,
                env=dict(environment),
                text=True,
            )

    def invoke(self, folder: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        """What Lambda's Invoke answers: the payload, and whether it is an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps({"folder": folder, "event": event}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, "the functions' process has ended"
        answer = json.loads(line)
        return json.dumps(answer.get("result", answer)).encode(), "result" not in answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()


class _Context:
    aws_request_id = "host"
    function_name = "host"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:host"

    def get_remaining_time_in_millis(self) -> int:
        return _SECONDS * 1000


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a function prints is a log line
    handlers: dict[str, Any] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        folder = asked["folder"]
        try:
            if folder not in handlers:
                handlers[folder] = _load(Path(folder))
            answer = {"result": handlers[folder](asked["event"], _Context())}
        except Exception as error:  # noqa: BLE001 - as Lambda reports it
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        answers.write(json.dumps(answer) + "\n")


def _load(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"function_{folder.name}", folder / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


if __name__ == "__main__":
    _serve()
