"""The end of a job, written in one order everywhere: PostgreSQL, then DynamoDB, then Redis.

The accounting comes first because it is the truth; each write is idempotent, so a retry of the
step converges. Terminal is final: a job that has ended otherwise keeps its end.
"""

from dataclasses import dataclass, replace

from vsl.domain.catalogue import Catalogue
from vsl.domain.job import FinishedJob, JobEvent, JobStatus
from vsl.services.ports import Accounting, Clock, LiveJobs, Metrics, StatusCache


@dataclass(frozen=True, slots=True)
class Books:
    """Everything the end of a job is written to, bound once."""

    catalogue: Catalogue
    accounting: Accounting
    live: LiveJobs
    cache: StatusCache
    clock: Clock
    metrics: Metrics


def finish(finished: FinishedJob, books: Books) -> bool:
    """False when the job had already ended in another status.

    What PostgreSQL has written, in this run or an earlier one, is what the others are told.
    """
    document = books.accounting.finish_job(finished)
    if document is None:
        _tell_earlier_end(finished, books)
        return False
    if not books.live.finish(finished, document):
        return False
    books.cache.put(document)
    _measure(finished, books.metrics)
    return True


def _tell_earlier_end(finished: FinishedJob, books: Books) -> None:
    """Whoever wrote the other end to PostgreSQL may have died before telling the others."""
    written = books.accounting.status(finished.job.job_id)
    if written is None or not JobStatus(written["status"]).terminal:
        return
    if books.live.finish(replace(finished, status=JobStatus(written["status"])), written):
        books.cache.put(written)


def with_end(events: tuple[JobEvent, ...], end: JobEvent) -> tuple[JobEvent, ...]:
    return (*(event for event in events if event.name != end.name), end)


def _measure(finished: FinishedJob, metrics: Metrics) -> None:
    dimensions = {"mediaType": finished.job.media_type.value, "modelId": finished.job.model_id}
    if finished.status is JobStatus.SUCCEEDED:
        metrics.count("JobCompleted", **dimensions)
        elapsed = finished.completed_at - finished.job.created_at
        metrics.seconds("ProcessingTime", elapsed.total_seconds(), **dimensions)
    elif finished.status is JobStatus.CANCELED:
        metrics.count("JobCanceled", **dimensions)
    else:
        error = finished.error_code or "InternalError"
        metrics.count("JobFailed", **dimensions, errorType=error)
