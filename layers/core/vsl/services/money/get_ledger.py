"""The movements of a job's money, for operators."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller, job_not_found
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.ids import is_job_id
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.money import MoneyQueries


@dataclass(frozen=True, slots=True)
class GetLedger:
    queries: MoneyQueries
    repository: JobRepository

    def __call__(self, job_id: str | None, caller: Caller) -> dict[str, Any]:
        """The public document; a deleted job's movements stay. Raises Forbidden for a user, and
        JobNotFound."""
        caller.require_trusted()
        if job_id is None:
            raise InvalidRequest.of([("jobId", "is required")])
        if not is_job_id(job_id):
            raise job_not_found(job_id)
        movements = self.queries.movements(job_id)
        if not movements and self.repository.status(job_id) is None:
            raise job_not_found(job_id)
        return {"jobId": job_id, "movements": [movement.document() for movement in movements]}
