"""The end of a job, written in one order everywhere: PostgreSQL, then DynamoDB, then Redis.

The accounting comes first because it is the truth; each write is idempotent, so a retry of the
step converges. Terminal is final: a job that has ended otherwise keeps its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vsl.domain.catalogue import Catalogue
from vsl.domain.job import FinishedJob, JobEvent, JobStatus
from vsl.services.ports import Accounting, Clock, LiveJobs, Metrics, RateLimits, StatusCache


@dataclass(frozen=True, slots=True)
class Books:
    """Everything the end of a job is written to, bound once."""

    catalogue: Catalogue
    accounting: Accounting
    live: LiveJobs
    cache: StatusCache
    limits: RateLimits
    clock: Clock
    metrics: Metrics


def finish(finished: FinishedJob, books: Books) -> bool:
    """False when the job had already ended in another status.

    What PostgreSQL has written, in this run or an earlier one, is what the others are told. Either
    way the job runs no more, and its place among the user's is free.
    """
    first = _write(finished, books)
    books.limits.release(finished.job.user_id, finished.job.job_id)
    return first


def _write(finished: FinishedJob, books: Books) -> bool:
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


_END_METRICS = {
    JobStatus.SUCCEEDED: "JobCompleted",
    JobStatus.FAILED: "JobFailed",
    JobStatus.CANCELED: "JobCanceled",
}


def _measure(finished: FinishedJob, metrics: Metrics) -> None:
    """A step that dies after this and is run again counts again: better than not at all."""
    job = finished.job
    dimensions = {"mediaType": job.media_type.value, "modelId": job.model_id}
    if finished.status is JobStatus.FAILED:
        dimensions["errorType"] = finished.error_code or "InternalError"
    metrics.count(_END_METRICS[finished.status], **dimensions)
    values = {name: value for name, value in _values(finished) if value is not None}
    metrics.record(values, mediaType=job.media_type.value, modelId=job.model_id)


def _values(finished: FinishedJob) -> Iterator[tuple[str, float | None]]:
    job, run, total = finished.job, finished.predict_time, finished.total_time
    yield "Resubmissions", max(0, finished.attempt - 1)
    yield "ActualCost", None if finished.actual_cost is None else float(finished.actual_cost)
    yield "EstimatedCost", float(job.estimated_cost)
    if finished.status is not JobStatus.SUCCEEDED:
        return
    yield "ProcessingTime", (finished.completed_at - job.created_at).total_seconds()
    yield "EstimatedTime", job.estimated_time
    yield "RunTime", run
    yield "QueueTime", None if run is None or total is None else max(0.0, total - run)
    marks = {event.name: event for event in finished.events}
    if "storing" in marks and "stored" in marks:
        began, ended = marks["storing"], marks["stored"]
        yield "TransferTime", max(0.0, (ended.at - began.at).total_seconds())
        yield "TransferSize", ended.detail.get("bytes")
