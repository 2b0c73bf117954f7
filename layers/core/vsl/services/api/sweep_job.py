"""Sweep a deleted job once no step can run any more; complete a deletion that died on its way."""

from dataclasses import dataclass

from vsl.services.api.erase_job import EraseJob, place_of
from vsl.services.ports.jobs import Erasure, JobRepository
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class SweepJob:
    repository: JobRepository
    erasure: Erasure
    tracking: TrackingStore
    erase: EraseJob
    clock: Clock

    def __call__(self, job_id: str) -> bool:
        """False when the job is not deleted.

        Safe at any time: a sweep that comes too early is repeated, because the tombstone stays until
        its time has come.
        """
        place = self.erasure.erased(job_id)
        if place is None and self.tracking.deleted(job_id):
            document = self.repository.status(job_id)
            if document is None:
                self.tracking.forget(job_id, self.clock.now())
                return True
            place = place_of(document)
        if place is None:
            return False
        if self.tracking.get(job_id) is None:
            self.erase.clear(place)
        else:  # written by a step that ran when the job was deleted
            self.erase(place, ended=True)
        self.tracking.forget(job_id, self.clock.now())
        return True
