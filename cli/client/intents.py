"""A request that may cost money is written down before it is sent, with its Idempotency-Key.

If the answer is lost, or the command is killed while it waits for it, the same command finds the
note and repeats the request with the same key: the API answers with the same job. A lock tells the
note of a command that still runs from one that was left behind, so that two equal commands side by
side are two jobs. Notes are for the owner's eyes and count for a day, as the key does.
"""

import fcntl
import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 23 * 3600  # the API keeps a key for 24 hours


@dataclass
class Intent:
    """A note that is locked by this process. `repeated`: an earlier command left it without an answer."""

    key: str
    body: dict[str, Any] | None
    repeated: bool
    path: Path
    descriptor: int

    def write(self, body: Mapping[str, Any]) -> None:
        """Before the first byte is sent."""
        self.body = dict(body)
        text = json.dumps({"key": self.key, "body": self.body, "at": time.time()})
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)
        os.fsync(self.descriptor)

    def settle(self) -> None:
        """The API has answered, this way or that: there is nothing left to repeat."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leave the note to the next command. Harmless after `settle`."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "vsl" / "intents"


def intent(*identity: object) -> Intent:
    """The note that an equal command left behind, or a new one. Raises OSError."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
    for path in sorted(place.glob(f"{digest}-*.json")):
        found = _take_over(path)
        if found is not None:
            return found
    path = place / f"{digest}-{uuid.uuid4().hex}.json"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return Intent(str(uuid.uuid4()), None, repeated=False, path=path, descriptor=descriptor)


def _take_over(path: Path) -> Intent | None:
    """The note, if no process holds it and it still counts; removes an expired one."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept = os.fstat(descriptor).st_nlink > 0
        note = json.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
        if kept and time.time() - float(note["at"]) < _SECONDS:
            body = dict(note["body"])
            return Intent(str(note["key"]), body, repeated=True, path=path, descriptor=descriptor)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except (ValueError, KeyError, TypeError):
        pass  # cut short before anything was sent
    path.unlink(missing_ok=True)
    os.close(descriptor)
    return None
