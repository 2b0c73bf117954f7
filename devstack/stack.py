"""What is known of a running stack: `stack.json` for people and tests, `processes.json` for `vsl down`."""

import json
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devstack.paths import StateFolder
from devstack.processes import ProcessId


@dataclass(frozen=True, slots=True)
class Recorded:
    """One process of a stack, and the signal it stops by."""

    name: str
    process: ProcessId
    signal: int = signal.SIGTERM

    def document(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.process), "signal": int(self.signal)}


SUPERVISOR = "supervisor"


def write_processes(state: StateFolder, recorded: list[Recorded]) -> None:
    _write(state.processes, [each.document() for each in recorded])


def read_processes(state: StateFolder) -> list[Recorded]:
    try:
        documents = json.loads(state.processes.read_text())
    except (FileNotFoundError, ValueError):
        return []
    return [
        Recorded(each["name"], ProcessId(each["pid"], each["started"]), int(each["signal"]))
        for each in documents
    ]


def write_stack(state: StateFolder, document: Mapping[str, Any]) -> None:
    _write(state.stack, document)


def running_stack(state: StateFolder) -> dict[str, Any] | None:
    """The stack's document if its supervisor is alive and has finished starting."""
    supervisor = next((each for each in read_processes(state) if each.name == SUPERVISOR), None)
    if supervisor is None or not supervisor.process.alive:
        return None
    try:
        document: dict[str, Any] = json.loads(state.stack.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return document


def stop_recorded(state: StateFolder, patience: float = 15.0) -> int:
    """Stop what the state folder records, the supervisor first; how many processes were stopped.

    A pid that belongs to another process by now is left alone: the start time tells.
    """
    alive = [each for each in read_processes(state) if each.process.alive]
    supervisor = next((each for each in alive if each.name == SUPERVISOR), None)
    if supervisor is not None:
        supervisor.process.signal(supervisor.signal)
        if not supervisor.process.wait(patience):
            supervisor.process.signal(signal.SIGKILL)
    for each in alive:
        if each.process.alive:
            each.process.signal(each.signal)
    for each in alive:
        if not each.process.wait(5.0):
            each.process.signal(signal.SIGKILL)
            each.process.wait(5.0)
    forget(state)
    return len(alive)


def forget(state: StateFolder) -> None:
    """Remove what only a running stack has; logs and the database's files stay."""
    for path in (state.stack, state.processes, state.api, state.distribution):
        path.unlink(missing_ok=True)
    shutil.rmtree(state.temporary, ignore_errors=True)


def _write(path: Path, document: Any) -> None:
    """Whole or not at all, and readable by its owner alone: it holds the local secrets."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        json.dump(document, target, indent=2)
        target.write("\n")
    draft.rename(path)
