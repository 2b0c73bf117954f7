"""The end of a job, written in one order everywhere: PostgreSQL, then DynamoDB, then Redis; then told.

The accounting comes first because it is the truth; each write is idempotent, so a retry of the
step converges. Terminal is final: a job that has ended otherwise keeps its end. An end is announced
once it is durable: whoever dies in between, the next one to come by (the step's retry, RecordFailure,
the repair) announces it again. A bad end is noted as announced, because the repair looks at every
execution that ended badly; at a good end nobody looks again, and the write is saved.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vsl.domain.catalogue import Catalogue
from vsl.domain.job import FinishedJob, Job, JobEvent, JobStatus
from vsl.domain.live_job import LiveJob
from vsl.services.get_status import live_document
from vsl.services.ports import (
    Accounting,
    Announcements,
    Clock,
    LiveJobs,
    Metrics,
    RateLimits,
    StatusCache,
)


@dataclass(frozen=True, slots=True)
class Books:
    """Everything the end of a job is written to, bound once."""

    catalogue: Catalogue
    accounting: Accounting
    live: LiveJobs
    cache: StatusCache
    limits: RateLimits
    announcements: Announcements
    clock: Clock
    metrics: Metrics


def finish(finished: FinishedJob, books: Books) -> bool:
    """False when the job had already ended in another status.

    What PostgreSQL has written, in this run or an earlier one, is what the others are told. Either
    way the job runs no more.
    """
    item = _write(finished, books)
    settle(finished.job, item, books)
    return item is not None and item.status is finished.status


def settle(job: Job, item: LiveJob | None, books: Books) -> bool:
    """What follows from an end that is written: the job's place among the user's is free, its waste
    stays in the poller's sight, and the end is announced. True if this call announced it."""
    books.limits.release(job.user_id, job.job_id)
    if item is None or item.result is None:
        return False
    if item.unbooked:
        books.live.follow(job.job_id, books.clock.now())
    if item.announced:
        return False
    has_callback = item.job.callback_url is not None
    books.announcements.ended(live_document(item), callback=has_callback)
    if item.status is not JobStatus.SUCCEEDED:
        books.live.mark_announced(job.job_id)
    return True


def _write(finished: FinishedJob, books: Books) -> LiveJob | None:
    """The item with the end as it stands written; None where the live item had another."""
    document = books.accounting.finish_job(finished)
    if document is None:
        return _tell_earlier_end(finished, books)
    item = books.live.finish(finished, document)
    if item is not None:
        books.cache.put(document)
        _measure(finished, books.metrics)
    return item


def _tell_earlier_end(finished: FinishedJob, books: Books) -> LiveJob | None:
    """Whoever wrote the other end to PostgreSQL may have died before telling the others."""
    written = books.accounting.status(finished.job.job_id)
    if written is None or not JobStatus(written["status"]).terminal:
        return None
    item = books.live.finish(replace(finished, status=JobStatus(written["status"])), written)
    if item is not None:
        books.cache.put(written)
    return item


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
