"""A slot for a job that is about to be submitted, or a place in the queue."""

from dataclasses import dataclass

from vsl.domain.errors import SlotUnavailable
from vsl.domain.jobs.flow import flow_of
from vsl.domain.jobs.job import Job
from vsl.services.ports.pacing import Slots
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class ReserveSlot:
    slots: Slots
    clock: Clock

    def __call__(self, job: Job) -> None:
        """Raises SlotUnavailable."""
        turn = self.slots.reserve(job.job_id, flow_of(job), self.clock.now())
        if not turn.granted:
            raise SlotUnavailable("The provider takes no more for now.", jobId=job.job_id)
