"""Jobs: stuck past their deadline, and stores with different ends."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import batched
from typing import Any

from cli.doctor.findings import Finding, Scope
from cli.doctor.repair import repair_execution
from cli.doctor.site import Site, SiteError
from vsl.adapters.dynamodb.tracking_item import TRACKING_ITEM_LIFE
from vsl.domain.jobs.job import (
    FinishedJob,
    Job,
    JobStatus,
    MediaAsset,
    MediaType,
    OrphanedPrediction,
    deadline,
)
from vsl.domain.jobs.status import StatusDocument
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.output import OutputKind

# The poller comes every minute and hands a job to the repair at its deadline, which takes seconds.
PATIENCE = timedelta(minutes=3)
_BATCH = 100

_ENDED_MEANWHILE = {"nothing to do", "published", "settled", "unsettled"}
_BY_HAND = "Compare its attributes with those of another (docs/architecture.md), and correct them."
# What reading an item raises that an older version, or a hand, has written.
UNREADABLE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)

_RUNNING = """
    SELECT job_id::text, created_at, timeout_seconds, estimated_cost FROM jobs
    WHERE completed_at IS NULL AND created_at > %s ORDER BY created_at LIMIT %s
"""
_ENDED = """
    SELECT job_id::text, status, actual_cost FROM jobs
    WHERE completed_at IS NOT NULL AND created_at > %s ORDER BY created_at DESC LIMIT %s
"""
_ORPHANS = "SELECT replicate_id FROM orphaned_predictions WHERE job_id = ANY(%s::uuid[])"


type _Batch = tuple[Sequence[Mapping[str, Any]], Mapping[str, TrackedJob], list[Finding]]
"""Rows of jobs, their items by job id, and what is wrong with items that cannot be read."""


def stuck_jobs(site: Site, scope: Scope) -> Iterator[Finding]:
    """Jobs that run past their deadline."""
    now = site.now()
    for batch, items, unreadable in _batches(site, _RUNNING, now - scope.window, scope.limit):
        yield from unreadable
        broken = {finding.subject for finding in unreadable}
        for row in batch:
            if row["job_id"] not in broken:
                yield from _stuck(site, row, items.get(row["job_id"]), now)


def _stuck(
    site: Site, row: Mapping[str, Any], item: TrackedJob | None, now: datetime
) -> Iterator[Finding]:
    ends = item.deadline if item else deadline(row["created_at"], row["timeout_seconds"])
    if now < ends + PATIENCE:
        return
    if item is not None and item.result is not None:
        return  # it has ended: that is drift
    paid = item is not None and item.replicate_id is not None
    yield Finding(
        check="stuck job",
        subject=row["job_id"],
        what=f"should have ended by {ends:%Y-%m-%d %H:%M} UTC",
        money=Decimal(row["estimated_cost"] or 0) if paid else Decimal(0),
        cure=partial(_repair, site, row["job_id"], item is None),
    )


def _batches(site: Site, query: str, since: datetime, limit: int) -> Iterator[_Batch]:
    for batch in batched(site.rows(query, since, limit), _BATCH):
        yield batch, *_items(site, [row["job_id"] for row in batch])


def _items(site: Site, job_ids: Sequence[str]) -> tuple[Mapping[str, TrackedJob], list[Finding]]:
    """The items, and what is wrong with those that cannot be read: one must not hide the others."""
    items = dict(site.tracking.get_many(job_ids))
    unreadable: list[Finding] = []
    for job_id in job_ids:
        if job_id in items:
            continue
        try:
            item = site.tracking.get(job_id)
        except UNREADABLE as error:
            unreadable.append(unreadable_item(job_id, error))
        else:
            if item is not None:
                items[job_id] = item
    return items, unreadable


def unreadable_item(job_id: str, error: Exception) -> Finding:
    what = f"has an item that cannot be read: {type(error).__name__}: {error}"
    return Finding("unreadable item", job_id, what, advice=_BY_HAND)


def drift(site: Site, scope: Scope) -> Iterator[Finding]:
    """Ends, costs and caches that disagree; PostgreSQL is right about ends."""
    now = site.now()
    since = now - min(scope.window, TRACKING_ITEM_LIFE)
    for batch, items, unreadable in _batches(site, _ENDED, since, scope.limit):
        yield from unreadable
        ids = [row["job_id"] for row in batch]
        booked = {row["replicate_id"] for row in site.rows(_ORPHANS, ids)}
        for row in batch:
            yield from _drift_of(site, row, items.get(row["job_id"]), booked)
    # Of items that cannot be read stuck_jobs tells.
    for _, items, _ in _batches(site, _RUNNING, now - scope.window, scope.limit):
        for item in items.values():
            if item.result is None:
                continue
            what = f"has ended as {item.status} for DynamoDB and still runs for PostgreSQL"
            yield _drift(item.job.job_id, what, partial(_book_end, site, item))


def _drift(
    subject: str, what: str, cure: Callable[[], str], money: Decimal | None = None
) -> Finding:
    return Finding(check="drift", subject=subject, what=what, money=money, cure=cure)


def _drift_of(
    site: Site, row: Mapping[str, Any], item: TrackedJob | None, booked: set[str]
) -> Iterator[Finding]:
    job_id = row["job_id"]
    if item is not None and (item.result is None or item.result["status"] != row["status"]):
        told = item.status if item.result is None else item.result["status"]
        what = f"has ended as {row['status']} for PostgreSQL and is {told} for DynamoDB"
        yield _drift(job_id, what, partial(_tell_tracking_item, site, item))
    cached = site.cache.get(job_id)
    if cached is not None and cached["status"] != row["status"]:
        what = f"has ended as {row['status']} for PostgreSQL and is {cached['status']} in Redis"
        yield _drift(job_id, what, partial(_tell_cache, site, job_id))
    for orphan in item.orphans if item else ():
        if orphan.replicate_id not in booked:
            what = f"an orphaned prediction of {job_id} that PostgreSQL has not booked"
            cure = partial(_book_orphan, site, job_id, orphan)
            yield _drift(orphan.replicate_id, what, cure, orphan.cost)


def _repair(site: Site, job_id: str, unknown: bool) -> str:
    """A job that never got a tracking item is ended by its row in PostgreSQL."""
    given = job_of(site, job_id).document() if unknown else None
    reason = "The job ran past its deadline; vsl doctor ended it."
    result = repair_execution(site)(job_id, reason, given)
    if result == "still running":
        return "left alone: its execution still runs; stop that first if it should not"
    if result in _ENDED_MEANWHILE:
        return "it has ended meanwhile"
    if result != "recorded":
        raise SiteError(f"not ended: {result}")
    return "ended as failed (ExecutionStopped); what ran at the provider was stopped"


def job_of(site: Site, job_id: str) -> Job:
    (row,) = site.rows(
        "SELECT user_id, media_type, model_id, parameters, estimated_time, estimated_cost,"
        " timeout_seconds, created_at FROM jobs WHERE job_id = %s",
        job_id,
    )
    media_type = MediaType(row.pop("media_type"))
    return Job(job_id=job_id, media_type=media_type, output=_output(site, row["model_id"]), **row)


def _output(site: Site, model_id: str) -> OutputKind:
    """By the catalogue of today: no table keeps it."""
    known = site.catalogue.models.get(model_id)
    return OutputKind.FILES if known is None else OutputKind.of(known.output)


def _tell_tracking_item(site: Site, item: TrackedJob) -> str:
    document = _written(site, item.job.job_id)
    ended = FinishedJob(item.job, JobStatus(document["status"]), site.now())
    if not site.tracking.finish(ended, document):
        # It has another end, and an end is final: the item is replaced as a whole.
        site.forget_tracking_item(item.job.job_id)
        site.tracking.finish(ended, document)
    site.cache.put(document)
    return "DynamoDB and Redis now tell what PostgreSQL has written"


def _tell_cache(site: Site, job_id: str) -> str:
    site.cache.put(_written(site, job_id))
    return "Redis now tells what PostgreSQL has written"


def _book_end(site: Site, item: TrackedJob) -> str:
    document = item.result or {}
    error = document.get("error") or {}
    finished = FinishedJob(
        job=job_of(site, item.job.job_id),
        status=item.status,
        completed_at=item.updated_at,
        replicate_id=item.replicate_id,
        attempt=item.attempt,
        assets=tuple(map(MediaAsset.from_document, document.get("assets", ()))),
        error_code=error.get("code"),
        error_message=error.get("message"),
        actual_cost=None if not document.get("actualCost") else Decimal(document["actualCost"]),
        events=item.events,
        webhooks=item.webhooks,
        orphans=item.orphans,
    )
    site.repository.finish_job(finished)
    return "PostgreSQL now tells what the tracking item has written"


def _book_orphan(site: Site, job_id: str, orphan: OrphanedPrediction) -> str:
    site.repository.record_orphan(job_id, orphan)
    return "booked"


def _written(site: Site, job_id: str) -> StatusDocument:
    document = site.repository.status(job_id)
    assert document is not None, job_id  # noqa: S101 - it was read from there a moment ago
    return document
