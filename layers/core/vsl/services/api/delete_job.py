"""Delete a job on request of its user; a deletion that dies on its way is completed by the sweep."""

from dataclasses import dataclass

from vsl.domain.api.caller import Caller, job_not_found
from vsl.domain.errors import JobNotEnded
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.object_keys import JobPlace
from vsl.services.api.erase_job import EraseJob, place_of
from vsl.services.ports.jobs import Erasure, JobRepository
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class DeleteJob:
    repository: JobRepository
    erasure: Erasure
    tracking: TrackingStore
    erase: EraseJob

    def __call__(self, job_id: str, caller: Caller) -> None:
        """Raises JobNotFound, also for a job deleted before; JobNotEnded while it may be written to, and
        while its item awaits what its predictions cost."""
        document = self.repository.status(job_id) if is_job_id(job_id) else None
        if document is None:
            self._delete_leftover(job_id, caller)
            return
        caller.check(job_id, document["userId"])
        item = self.tracking.get(job_id)
        if not JobStatus(document["status"]).terminal or (item and not item.status.terminal):
            raise JobNotEnded("The job has not ended: cancel it first.", jobId=job_id)
        if item and item.unsettled:
            raise JobNotEnded(
                "What the job has cost is not settled yet; try again in a minute.", jobId=job_id
            )
        self.erase(place_of(document))

    def _delete_leftover(self, job_id: str, caller: Caller) -> None:
        """A job that PostgreSQL does not know, or knows as deleted, may have an item all the same."""
        item = self.tracking.get(job_id) if is_job_id(job_id) else None
        if item is None:
            raise job_not_found(job_id)
        caller.check(job_id, item.job.user_id)
        if not item.status.terminal and self.erasure.erased(job_id) is None:
            raise JobNotEnded("The job has not ended: cancel it first.", jobId=job_id)
        self.erase(JobPlace.of(item.job), ended=True)
