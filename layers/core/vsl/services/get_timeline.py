"""Where a job's time went: the live item while it runs, PostgreSQL once it has ended."""

from typing import Any

from vsl.domain.caller import Caller, job_not_found
from vsl.domain.execution_url import execution_url
from vsl.domain.ids import is_job_id
from vsl.domain.live_job import LiveJob
from vsl.domain.timeline import JobRecord, timeline
from vsl.services.ports import Clock, History, LiveJobs


def get_timeline(
    job_id: str, caller: Caller, *, live: LiveJobs, history: History, clock: Clock
) -> dict[str, Any]:
    """The public document. Raises JobNotFound, also for a job of somebody else's."""
    if not is_job_id(job_id):
        raise job_not_found(job_id)
    item = live.get(job_id)
    record = _record(item) if item and not item.status.terminal else history.record(job_id)
    if record is None:
        raise job_not_found(job_id)
    caller.check(job_id, record.user_id)
    told = timeline(record, clock.now())
    if caller.subject is None:  # whose account it is concerns operators, not their users
        told["executionUrl"] = execution_url(record.execution_arn)
    return told


def _record(item: LiveJob) -> JobRecord:
    return JobRecord(
        job_id=item.job.job_id,
        user_id=item.job.user_id,
        status=item.status,
        created_at=item.job.created_at,
        completed_at=None,
        events=item.events,
        webhooks=item.webhooks,
        execution_arn=item.execution_arn,
    )
