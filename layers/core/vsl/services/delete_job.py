"""Delete a job: its media and what is personal about it go, what it cost stays.

The mark in PostgreSQL comes last of what must not be lost: a job that says it is deleted has nothing
left anywhere. Whoever dies on the way leaves a job that is still there, without some of its files,
and that can be deleted again: where its files lie follows from the job itself, so none is lost sight
of. The cache is closed for the job before the mark, so that no reader puts back what it had read.
"""

from datetime import datetime

from vsl.domain.caller import Caller, job_not_found
from vsl.domain.errors import JobNotEnded
from vsl.domain.ids import is_job_id
from vsl.domain.job import JobStatus, MediaType
from vsl.domain.keys import prefixes
from vsl.services.ports import Accounting, Clock, History, LiveJobs, ObjectRemoval, StatusCache


def delete_job(
    job_id: str,
    caller: Caller,
    *,
    accounting: Accounting,
    history: History,
    live: LiveJobs,
    objects: ObjectRemoval,
    cache: StatusCache,
    clock: Clock,
) -> None:
    """Raises JobNotFound, also for a job deleted before; JobNotEnded while it may still be written."""
    document = accounting.status(job_id) if is_job_id(job_id) else None
    if document is None:
        raise job_not_found(job_id)
    caller.check(job_id, document["userId"])
    item = live.get(job_id)
    if not JobStatus(document["status"]).terminal or (item and not item.status.terminal):
        raise JobNotEnded("The job has not ended: cancel it first.", jobId=job_id)
    created_at = datetime.fromisoformat(document["createdAt"])
    for prefix in prefixes(
        document["userId"], MediaType(document["mediaType"]), created_at, job_id
    ):
        objects.remove(prefix)
    live.delete(job_id)
    cache.close(job_id)
    history.erase(job_id, clock.now())
