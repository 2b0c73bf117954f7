"""Predictions that no job has a use for."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from devstack.doctor.findings import Finding, Scope
from devstack.doctor.site import Site
from vsl.domain.job import Job, Waste
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome, Prediction
from vsl.domain.webhook_url import WEBHOOK_PATH, parse_webhook_url
from vsl.services.cost import cost_of

_BOOKED = "SELECT replicate_id FROM wasted_predictions WHERE replicate_id = %s"
_JOBS = "SELECT job_id FROM jobs WHERE job_id = %s"


def orphan_predictions(site: Site, scope: Scope) -> Iterator[Finding]:
    """Predictions made for this deployment, of which neither their job nor the accounts know."""
    ours = site.api_url.rstrip("/") + WEBHOOK_PATH
    seen = 0
    for listed in site.provider.list_since(site.now() - scope.window):
        seen += 1
        if seen > scope.limit:
            return
        # The list need not show what a prediction was created with.
        prediction = listed if listed.webhook else site.provider.get(listed.id) or listed
        key = parse_webhook_url(prediction.webhook)
        if key is None or not str(prediction.webhook).startswith(ours):
            continue
        item = site.live.get(key.job_id)
        if item is not None and prediction.id in _known_to(item):
            continue
        if site.rows(_BOOKED, prediction.id) or _owned(site, prediction.id):
            continue
        booked = bool(site.rows(_JOBS, key.job_id))
        if prediction.status.terminal and not booked:
            continue  # nothing left to stop, and no job to book it on
        yield Finding(
            check="prediction without a job",
            subject=prediction.id,
            what=f"is {prediction.status} for job {key.job_id}, which does not know it",
            money=_cost(site, item.job if item else None, prediction),
            cure=partial(_discard, site, key.job_id, item, prediction, booked),
        )


def _known_to(item: LiveJob) -> set[str]:
    current = {item.replicate_id} if item.replicate_id else set()
    return current | item.past | {waste.replicate_id for waste in item.waste}


def _owned(site: Site, replicate_id: str) -> bool:
    return bool(site.rows("SELECT 1 FROM jobs WHERE replicate_id = %s", replicate_id))


def _cost(site: Site, job: Job | None, prediction: Prediction) -> Decimal | None:
    if job is None or not prediction.status.terminal:
        return None if job is None else job.estimated_cost
    return cost_of(job, Outcome.of(prediction, "doctor"), site.catalogue, site.accounting)


def _discard(
    site: Site, job_id: str, item: LiveJob | None, prediction: Prediction, booked: bool
) -> str:
    ended = prediction if prediction.status.terminal else site.provider.cancel(prediction.id)
    cost = None
    if ended is not None and ended.status.terminal:
        cost = _cost(site, item.job if item else None, ended)
    over = ended is None or ended.status.terminal
    waste = Waste(prediction.id, site.now(), "doctor", cost, ended=over and booked)
    if item is not None:
        site.live.add_waste(job_id, waste)
    if booked:
        site.accounting.record_waste(job_id, waste)
    return "canceled and booked as waste" if booked else "canceled"
