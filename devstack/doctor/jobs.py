"""Jobs: stuck past their deadline, and stores that tell different ends."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import batched
from typing import Any

from devstack.doctor.findings import Finding, Scope
from devstack.doctor.site import Site
from vsl.adapters.live_item import LIVE_ITEM_LIFE
from vsl.domain.job import FinishedJob, Job, JobStatus, MediaAsset, MediaType, Waste, deadline
from vsl.domain.live_job import LiveJob
from vsl.domain.status import StatusDocument
from vsl.services.repair_execution import repair_execution

# The poller hands a job to the repair within minutes of its deadline; before that nothing is wrong.
PATIENCE = timedelta(minutes=10)

_RUNNING = """
    SELECT job_id::text, created_at, timeout_seconds, estimated_cost FROM jobs
    WHERE completed_at IS NULL AND created_at > %s ORDER BY created_at LIMIT %s
"""
_ENDED = """
    SELECT job_id::text, status, actual_cost FROM jobs
    WHERE completed_at IS NOT NULL AND created_at > %s ORDER BY created_at DESC LIMIT %s
"""
_WASTE = "SELECT replicate_id FROM wasted_predictions WHERE job_id = ANY(%s::uuid[])"


def stuck_jobs(site: Site, scope: Scope) -> Iterator[Finding]:
    """Jobs that run past their deadline."""
    now = site.now()
    for row in site.rows(_RUNNING, now - scope.window, scope.limit):
        ends = deadline(row["created_at"], row["timeout_seconds"])
        if now < ends + PATIENCE:
            continue
        job_id = row["job_id"]
        item = site.live.get(job_id)
        if item is not None and item.result is not None:
            continue  # it has ended: that is drift
        paid = item is not None and item.replicate_id is not None
        yield Finding(
            check="stuck job",
            subject=job_id,
            what=f"should have ended by {ends:%Y-%m-%d %H:%M} UTC",
            money=Decimal(row["estimated_cost"]) if paid else Decimal(0),
            cure=partial(_repair, site, job_id, item is None),
        )


def drift(site: Site, scope: Scope) -> Iterator[Finding]:
    """Ends, costs and caches that disagree; PostgreSQL is right about ends."""
    now = site.now()
    ended = site.rows(_ENDED, now - min(scope.window, LIVE_ITEM_LIFE), scope.limit)
    for batch in batched(ended, 100, strict=False):
        ids = [row["job_id"] for row in batch]
        items = site.live.get_many(ids)
        booked = {row["replicate_id"] for row in site.rows(_WASTE, ids)}
        for row in batch:
            yield from _drift_of(site, row, items.get(row["job_id"]), booked)
    for row in site.rows(_RUNNING, now - scope.window, scope.limit):
        item = site.live.get(row["job_id"])
        if item is not None and item.result is not None:
            yield Finding(
                check="drift",
                subject=row["job_id"],
                what=f"has ended as {item.status} for DynamoDB and still runs for PostgreSQL",
                cure=partial(_book_end, site, item),
            )


def _drift_of(
    site: Site, row: Mapping[str, Any], item: LiveJob | None, booked: set[str]
) -> Iterator[Finding]:
    job_id = row["job_id"]
    if item is not None and (item.result is None or item.result["status"] != row["status"]):
        told = item.status if item.result is None else item.result["status"]
        yield Finding(
            check="drift",
            subject=job_id,
            what=f"has ended as {row['status']} for PostgreSQL and is {told} for DynamoDB",
            cure=partial(_tell_live_item, site, item),
        )
    cached = site.cache.get(job_id)
    if cached is not None and cached["status"] != row["status"]:
        yield Finding(
            check="drift",
            subject=job_id,
            what=f"has ended as {row['status']} for PostgreSQL and is {cached['status']} in Redis",
            cure=partial(_tell_cache, site, job_id),
        )
    for waste in item.waste if item else ():
        if waste.replicate_id not in booked:
            yield Finding(
                check="drift",
                subject=waste.replicate_id,
                what=f"a wasted prediction of {job_id} that PostgreSQL has not booked",
                money=waste.cost,
                cure=partial(_book_waste, site, job_id, waste),
            )


def _repair(site: Site, job_id: str, unknown: bool) -> str:
    """A job that never got a live item is ended by what PostgreSQL knows of it."""
    given = job_of(site, job_id).document() if unknown else None
    reason = "The job ran past its deadline; vsl doctor ended it."
    repair_execution(job_id, reason, given, site.books(), site.provider)
    return "ended as failed (ExecutionStopped); what ran at the provider was stopped"


def job_of(site: Site, job_id: str) -> Job:
    (row,) = site.rows(
        "SELECT user_id, media_type, model_id, parameters, estimated_time, estimated_cost,"
        " timeout_seconds, created_at FROM jobs WHERE job_id = %s",
        job_id,
    )
    return Job(job_id=job_id, **(row | {"media_type": MediaType(row["media_type"])}))


def _tell_live_item(site: Site, item: LiveJob) -> str:
    document = _written(site, item.job.job_id)
    ended = FinishedJob(item.job, JobStatus(document["status"]), site.now())
    if not site.live.finish(ended, document):
        # It tells another end, and an end is final: the item is replaced as a whole.
        site.forget_live_item(item.job.job_id)
        site.live.finish(ended, document)
    site.cache.put(document)
    return "DynamoDB and Redis now tell what PostgreSQL has written"


def _tell_cache(site: Site, job_id: str) -> str:
    site.cache.put(_written(site, job_id))
    return "Redis now tells what PostgreSQL has written"


def _book_end(site: Site, item: LiveJob) -> str:
    document = item.result or {}
    error = document.get("error") or {}
    finished = FinishedJob(
        job=job_of(site, item.job.job_id),
        status=item.status,
        completed_at=item.updated_at,
        replicate_id=item.replicate_id,
        attempt=item.attempt,
        assets=_assets(document),
        error_code=error.get("code"),
        error_message=error.get("message"),
        actual_cost=None if not document.get("actualCost") else Decimal(document["actualCost"]),
        events=item.events,
        webhooks=item.webhooks,
        waste=item.waste,
    )
    site.accounting.finish_job(finished)
    return "PostgreSQL now tells what the live item has written"


def _book_waste(site: Site, job_id: str, waste: Waste) -> str:
    site.accounting.record_waste(job_id, waste)
    return "booked"


def _written(site: Site, job_id: str) -> StatusDocument:
    document = site.accounting.status(job_id)
    assert document is not None, job_id  # noqa: S101 - it was read from there a moment ago
    return document


def _assets(document: Mapping[str, Any]) -> tuple[MediaAsset, ...]:
    return tuple(MediaAsset.from_document(asset) for asset in document.get("assets", ()))
