"""An execution of a state machine, and the job it stands for."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from vsl.domain.jobs.ids import is_job_id, new_job_id


class ExecutionState(Enum):
    """`RUNNING` may still go on, `ABSENT` never began."""

    RUNNING = auto()
    OVER = auto()
    ABSENT = auto()


@dataclass(frozen=True, slots=True)
class Execution:
    """The state machine execution that asks: its retries must name the same job."""

    id: str
    name: str
    started_at: datetime

    @property
    def job_id(self) -> str:
        """The execution's own name where that is a job id, else one derived from the execution."""
        return self.name if is_job_id(self.name) else new_job_id(self.started_at, self.id)
