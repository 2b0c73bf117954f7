"""Predictions that no job has a use for."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from cli.doctor.findings import Finding, Scope
from cli.doctor.jobs import UNREADABLE, unreadable_item
from cli.doctor.repair import compute_cost
from cli.doctor.site import Site
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import Job, OrphanedPrediction
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.jobs.webhook_url import WEBHOOK_PATH, parse_webhook_url
from vsl.domain.predictions.prediction import Outcome, Prediction

_CHECK = "prediction without a job"
_KNOWN = """
    SELECT replicate_id FROM orphaned_predictions WHERE replicate_id = %s
    UNION ALL SELECT replicate_id FROM jobs WHERE replicate_id = %s
"""
_JOBS = "SELECT job_id FROM jobs WHERE job_id = %s"


def orphan_predictions(site: Site, scope: Scope) -> Iterator[Finding]:
    """Predictions made for this deployment, of which neither their job nor the accounts know."""
    seen = unseen = 0
    for listed in site.provider.list_since(site.now() - scope.window):
        if seen == scope.limit:
            yield cut_short(_CHECK, seen)
            break
        seen += 1
        if site.tracking.find_job_id(listed.id) is not None:
            continue
        prediction = as_created(site, listed)
        if prediction is None:
            unseen += 1
            continue
        job_id = made_for(site, prediction)
        if job_id is not None:
            yield from _orphan(site, job_id, prediction)
    if unseen:
        what = "could not be looked at, so they may belong to jobs: try again"
        yield Finding(check=_CHECK, subject=f"{unseen} of {seen}", what=what)


def cut_short(check: str, seen: int) -> Finding:
    what = "is all that was looked at; the list goes on: raise --limit or lower --days"
    return Finding(check=check, subject=f"{seen} predictions", what=what)


def made_for(site: Site, prediction: Prediction) -> str | None:
    """The id of the job; None where another deployment or another program has made it."""
    key = parse_webhook_url(prediction.webhook)
    ours = str(prediction.webhook).startswith(site.api_url.rstrip("/") + WEBHOOK_PATH)
    return key.job_id if key and ours else None


def as_created(site: Site, listed: Prediction) -> Prediction | None:
    """With its webhook address, which the list need not show. None when that cannot be told."""
    if listed.webhook:
        return listed
    try:
        return site.provider.get(listed.id)
    except VslError:
        return None


def _orphan(site: Site, job_id: str, prediction: Prediction) -> Iterator[Finding]:
    try:
        item = site.tracking.get(job_id)
    except UNREADABLE as error:
        yield unreadable_item(job_id, error)
        return
    if item is not None and prediction.id in _known_to(item):
        return
    if site.rows(_KNOWN, prediction.id, prediction.id):
        return
    booked = bool(site.rows(_JOBS, job_id))
    if prediction.status.terminal and not booked:
        return  # nothing left to stop, and no job to book it on
    yield Finding(
        check=_CHECK,
        subject=prediction.id,
        what=f"is {prediction.status} for job {job_id}, which does not know it",
        money=_cost(site, item.job if item else None, prediction),
        cure=partial(discard, site, job_id, item, prediction, booked),
    )


def _known_to(item: TrackedJob) -> set[str]:
    current = {item.replicate_id} if item.replicate_id else set()
    return current | item.abandoned_ids | {orphan.replicate_id for orphan in item.orphans}


def _cost(site: Site, job: Job | None, prediction: Prediction) -> Decimal | None:
    if job is None or not prediction.status.terminal:
        return None if job is None else job.estimated_cost
    return compute_cost(site)(job, Outcome.of(prediction, "doctor", job.output))


def discard(
    site: Site, job_id: str, item: TrackedJob | None, prediction: Prediction, booked: bool
) -> str:
    ended = prediction if prediction.status.terminal else site.provider.cancel(prediction.id)
    cost = None
    if ended is not None and ended.status.terminal:
        cost = _cost(site, item.job if item else None, ended)
    over = ended is None or ended.status.terminal
    orphan = OrphanedPrediction(prediction.id, site.now(), "doctor", cost, ended=over and booked)
    if item is not None:
        site.tracking.add_orphan(job_id, orphan)
    if booked:
        site.repository.record_orphan(job_id, orphan)
    return "canceled and recorded as orphaned" if booked else "canceled"
