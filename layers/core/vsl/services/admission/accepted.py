"""The answer of AcceptRequest."""

from dataclasses import dataclass, replace
from typing import Any

from vsl.domain.jobs.idempotency import KeyRecord
from vsl.domain.jobs.job import Job, JobStatus
from vsl.domain.jobs.place import NO_PLACE
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.money.amounts import plain_text


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that may go on. `created`: the stores have it; `started`: its execution has begun, and
    nothing is left to do for it. `key` is the record of its Idempotency-Key, if it came with one.
    `replayed`: an earlier request with this key made the job, which stands at `status`.
    """

    job: Job
    key: KeyRecord | None = None
    created: bool = False
    started: bool = False
    replayed: bool = False
    status: JobStatus = JobStatus.PENDING
    replicate_id: str | None = None

    def answer(self, api_url: str) -> dict[str, Any]:
        """The body of the 202: what is known of a job at the moment it is accepted. The place in the queue is
        added once it is admitted.

        `api_url` is the API's own address; empty where it is not known, as for a job started by hand.
        """
        return {
            "jobId": self.job.job_id,
            "status": self.status.value,
            "estimatedTime": self.job.estimated_time,
            "estimatedCost": plain_text(self.job.estimated_cost),
            "replicateId": self.replicate_id,
            **NO_PLACE,
            "statusUrl": f"{api_url}/status/{self.job.job_id}",
        }


def on_its_terms(job: Job, item: TrackedJob) -> Job:
    """The job as its tracking item has it, completed by what the item does not carry."""
    price = item.job.price or job.price
    return replace(
        item.job, parameters=job.parameters, metadata=job.metadata, price=price, call=job.call
    )
