"""One job of a world: what was asked, its execution, and what was seen of it on the way."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fault.harness.states import Execution
from vsl.domain.jobs.job import Job, JobStatus


@dataclass
class Run:
    """`deadline` and `ended_at` in virtual seconds; `statuses` are what its item went through, each
    with the document of the end. Without an execution it was written down and never started."""

    job: Job
    execution: Execution | None
    deadline: float
    statuses: list[tuple[str, str | None]] = field(default_factory=list)
    ended_at: float | None = None

    @property
    def ended(self) -> bool:
        return bool(self.statuses) and JobStatus(self.statuses[-1][0]).terminal

    @property
    def at_work(self) -> bool:
        return self.execution is not None and self.execution.status == "RUNNING"

    def caught(self) -> list[tuple[str, str]]:
        return self.execution.caught if self.execution else []

    def written(self, item: Mapping[str, Any], now: float) -> None:
        if "deletedAt" in item:
            return
        state = (item["status"]["S"], _result(item))
        if self.statuses and self.statuses[-1] == state:
            return
        self.statuses.append(state)
        if self.ended_at is None and self.ended:
            self.ended_at = now


def _result(item: Mapping[str, Any]) -> str | None:
    """The document of the end; the item keeps its logs beside it."""
    if "result" not in item:
        return None
    logs = item["logs"]["S"] if "logs" in item else None
    return json.dumps({**json.loads(item["result"]["S"]), "logs": logs})
