"""What the platform counts of the API, and the alarms that watch the deployment."""

import re
from dataclasses import dataclass
from typing import Any

_RUNBOOK = re.compile(r"^(?P<text>.*?)\s*(?P<runbook>https?://\S+)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ApiFigures:
    """Requests of all callers: `refused` were answered with a 4xx, `faults` with a 5xx."""

    requests: int
    refused: int
    faults: int

    def document(self) -> dict[str, int]:
        return {"requests": self.requests, "refused": self.refused, "faults": self.faults}


@dataclass(frozen=True, slots=True)
class Alarm:
    """`state` is OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    description: str
    runbook: str | None

    @classmethod
    def described(cls, name: str, state: str, description: str) -> "Alarm":
        """The template ends each description in the address of the alarm's runbook."""
        found = _RUNBOOK.match(description)
        text, runbook = (found["text"], found["runbook"]) if found else (description, None)
        return cls(name, state, text, runbook)

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": self.state,
            "description": self.description,
            "runbook": self.runbook,
        }
