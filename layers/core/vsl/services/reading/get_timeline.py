"""Where a job's time went: from the tracking item while it runs, from PostgreSQL once it has ended."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller, job_not_found
from vsl.domain.api.execution_url import execution_url
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.timeline import JobRecord, timeline
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.money.amounts import plain
from vsl.services.ports.jobs import JobQueries
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class GetTimeline:
    tracking: TrackingStore
    queries: JobQueries
    clock: Clock

    def __call__(self, job_id: str, caller: Caller) -> dict[str, Any]:
        """The public document. Raises JobNotFound, also for a job of another user."""
        if not is_job_id(job_id):
            raise job_not_found(job_id)
        item = self.tracking.get(job_id)
        if item and not item.status.terminal:
            record: JobRecord | None = _record(item)
        else:
            record = self.queries.record(job_id)
        if record is None:
            raise job_not_found(job_id)
        caller.check(job_id, record.user_id)
        document = timeline(record, self.clock.now())
        if caller.subject is None:  # the AWS account in it concerns operators, not their users
            document["executionUrl"] = execution_url(record.execution_arn)
        return document


def _record(item: TrackedJob) -> JobRecord:
    return JobRecord(
        job_id=item.job.job_id,
        user_id=item.job.user_id,
        status=item.status,
        created_at=item.job.created_at,
        completed_at=None,
        estimated_cost=item.job.estimated_cost,
        held_cost=plain(item.job.hold),
        events=item.events,
        webhooks=item.webhooks,
        execution_arn=item.execution_arn,
    )
