"""`vsl up --detach`: the supervisor as a process of its own, which tells its progress over a pipe."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devstack.paths import REPOSITORY, StateFolder
from devstack.supervisor import (
    AlreadyRunningError,
    Progress,
    StackFailedError,
    Supervisor,
    UpOptions,
)


def start_in_background(options: UpOptions) -> Iterator[Progress | dict[str, Any]]:
    """Start a detached supervisor; its progress, and last the document of the running stack.

    Raises StackFailedError with the supervisor's message. Left early, it stops the supervisor.
    """
    options.state.create()
    reading, writing = os.pipe()
    with (options.state.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "devstack.background", str(writing), _encode(options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=REPOSITORY,
            pass_fds=(writing,),
            start_new_session=True,
        )
    os.close(writing)
    finished = False
    try:
        with os.fdopen(reading) as events:
            for line in events:
                event = json.loads(line)
                if "failed" in event:
                    raise StackFailedError(event["failed"])
                finished = "apiUrl" in event
                yield event if finished else Progress(**event)
                if finished:
                    return
        raise StackFailedError(
            f"The supervisor ended early; see {options.state.logs}/supervisor.log."
        )
    finally:
        if not finished:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def main() -> None:
    descriptor, options = int(sys.argv[1]), _decode(sys.argv[2])
    events = os.fdopen(descriptor, "w", buffering=1)

    def tell(event: dict[str, Any]) -> None:
        if not events.closed:
            events.write(json.dumps(event) + "\n")

    def ready(document: dict[str, Any]) -> None:
        tell(document)
        events.close()

    supervisor = Supervisor(options, lambda progress: tell(asdict(progress)))
    try:
        supervisor.run(ready)
    except AlreadyRunningError as error:
        tell({"failed": str(error)})
        raise SystemExit(1) from None
    except Exception as error:
        tell({"failed": f"{error}" or type(error).__name__})
        raise


def _encode(options: UpOptions) -> str:
    return json.dumps({**asdict(options), "state": str(options.state.root)}, default=str)


def _decode(text: str) -> UpOptions:
    given = json.loads(text)
    given["state"] = StateFolder(Path(given["state"]))
    given["build"] = given["build"] and Path(given["build"])
    return UpOptions(**given)


if __name__ == "__main__":
    main()
