"""The status document of a job: from Redis, else from DynamoDB, else from PostgreSQL."""

from contextlib import suppress
from dataclasses import dataclass

from vsl.domain.api.caller import Caller, job_not_found
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.status import StatusDocument, with_asked
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.limits import StatusCache
from vsl.services.ports.tracking import TrackingStore
from vsl.services.reading.live_documents import LiveDocuments


@dataclass(frozen=True, slots=True)
class ReadStatus:
    cache: StatusCache
    tracking: TrackingStore
    repository: JobRepository
    live: LiveDocuments

    def __call__(self, job_id: str, caller: Caller) -> StatusDocument:
        """Raises JobNotFound, also for a job of another user."""
        if not is_job_id(job_id):
            raise job_not_found(job_id)
        document = self.cache.get(job_id)
        if document is None:
            item = self.tracking.get(job_id)
            if item is None:
                document = self.repository.status(job_id)
            else:
                document = self._with_asked(self.live({job_id: item})[job_id])
            if document is None:
                raise job_not_found(job_id)
            self.cache.put(document)
        caller.check(job_id, document["userId"])
        return document

    def _with_asked(self, document: StatusDocument) -> StatusDocument:
        """An item carries neither prompt nor metadata; while PostgreSQL is away the status goes without."""
        job_id = document["jobId"]
        asked = self.cache.asked(job_id)
        if asked is None:
            with suppress(StoreUnavailable):
                asked = self.repository.asked(job_id)
            if asked is not None:
                self.cache.keep_asked(job_id, asked)
        return document if asked is None else with_asked(document, asked)
