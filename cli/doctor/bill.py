"""The bill: what the provider has charged for each prediction, and what the ledger has of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any

from cli.doctor.findings import Finding, Scope
from cli.doctor.jobs import UNREADABLE, job_of
from cli.doctor.predictions import as_created, cut_short, discard, made_for
from cli.doctor.repair import settle_orphan, settle_prediction
from cli.doctor.site import Site
from vsl.domain.errors import UnknownModel
from vsl.domain.jobs.job import Job, MediaAsset, OrphanedPrediction
from vsl.domain.jobs.terms import PriceTerms
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.money.amounts import dollars, micro_dollars
from vsl.domain.money.pricing import charged, delivered, price_terms
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus

RUNBOOK = "docs/operations.md#the-bill-differs"
_MISSING, _OTHER, _TWICE, _UNKNOWN = (
    "bill: missing",
    "bill: other amount",
    "bill: charged twice",
    "bill: not at the provider",
)
_FREE = {PredictionStatus.FAILED, PredictionStatus.ABORTED}
_BATCH = 100
# Fewer than the pages that one reading of the list may have.
_STRETCH = 4000
# The provider tells a creation some milliseconds differently from answer to answer.
_OVERLAP = timedelta(seconds=1)

# What PostgreSQL has of each prediction: whose it is, and what was paid for it.
_KNOWN = """
    SELECT listed.id, own.job_id::text AS job_id, own.completed_at IS NOT NULL AS completed,
        settled_at IS NOT NULL AS settled, coalesce(assumed, false) AS assumed,
        (SELECT coalesce(sum(CASE 'provider' WHEN to_account THEN amount
                                             WHEN from_account THEN -amount ELSE 0 END), 0)::bigint
         FROM ledger WHERE job_id = own.job_id AND movement <> 'orphan') AS charged,
        orphan.job_id::text AS orphan_of, orphan.found_at, orphan.source,
        coalesce((SELECT amount FROM ledger WHERE subject = listed.id AND movement = 'orphan'), 0)
            AS orphaned
    FROM unnest(%s::text[]) AS listed (id)
    LEFT JOIN jobs AS own ON own.replicate_id = listed.id
    LEFT JOIN holds ON holds.job_id = own.job_id
    LEFT JOIN orphaned_predictions AS orphan ON orphan.replicate_id = listed.id
"""
_ASSETS = """
    SELECT job_id::text, index, s3_key, content_type, file_size, sha256
    FROM media_assets WHERE job_id = ANY(%s::uuid[])
"""
_CHARGED = """
    SELECT replicate_id AS id, charged + overrun AS amount FROM jobs JOIN holds USING (job_id)
    WHERE created_at > %s AND created_at < %s AND charged + overrun > 0 AND NOT assumed
        AND replicate_id IS NOT NULL
    UNION ALL
    SELECT orphaned_predictions.replicate_id, (cost * 1000000)::bigint
    FROM orphaned_predictions JOIN jobs USING (job_id)
    WHERE created_at > %s AND created_at < %s AND cost > 0
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One prediction of the list beside what PostgreSQL has of it. Amounts are micro-dollars."""

    prediction: Prediction
    job_id: str | None
    completed: bool
    settled: bool
    assumed: bool
    charged: int
    orphan_of: str | None
    found_at: datetime | None
    source: str | None
    orphaned: int

    @property
    def job(self) -> str | None:
        return self.job_id or self.orphan_of

    @property
    def orphan(self) -> OrphanedPrediction | None:
        if self.found_at is None or self.source is None:
            return None
        return OrphanedPrediction(self.prediction.id, self.found_at, self.source)


def bill(site: Site, scope: Scope) -> Iterator[Finding]:
    """Compare every prediction of the window that was made for this deployment, and the other way
    round what the ledger has of jobs of the window."""
    looked: set[str] = set()
    for batch in batched(_listed(site, scope, looked), _BATCH):
        yield from _compare(site, scope, batch)
        scope.progress(f"{len(looked)} predictions")
    if len(looked) >= scope.limit:
        yield cut_short("bill", len(looked))
        return
    first, last = site.now() - scope.window, site.now() - scope.young
    for row in site.rows(_CHARGED, first, last, first, last):
        if row["id"] not in looked:
            what = (
                f"cost ${dollars(row['amount'])} by the ledger, and the provider does not list it"
            )
            yield _finding(_UNKNOWN, row["id"], what, row["amount"])


def _listed(site: Site, scope: Scope, looked: set[str]) -> Iterator[Prediction]:
    """Newest first, in stretches: one reading of the list has a last page."""
    since, before = site.now() - scope.window, None
    while True:
        taken = 0
        for prediction in site.provider.list_since(since, before):
            if prediction.id in looked:
                continue
            if len(looked) >= scope.limit:
                return
            looked.add(prediction.id)
            yield prediction
            taken += 1
            if taken >= _STRETCH and prediction.created_at is not None:
                before = prediction.created_at + _OVERLAP
                break
        else:
            return


def _compare(site: Site, scope: Scope, listed: Sequence[Prediction]) -> Iterator[Finding]:
    now = site.now()
    over = [
        each
        for each in listed
        if each.status.terminal and (each.completed_at or now) <= now - scope.young
    ]
    rows = {row.pop("id"): row for row in site.rows(_KNOWN, [each.id for each in over])}
    lines = [Line(each, **rows[each.id]) for each in over]
    known = sorted({line.job for line in lines if line.job is not None})
    items = site.tracking.get_many(known)
    assets = _assets(site, known)
    for line in lines:
        if line.job is None:
            yield from _unknown(site, line.prediction)
        else:
            item = items.get(line.job)
            job = item.job if item else job_of(site, line.job)
            own = assets.get(line.job, []) if line.job_id else []
            yield from _differences(site, line, job, own)


def _differences(
    site: Site, line: Line, job: Job, assets: Sequence[MediaAsset]
) -> Iterator[Finding]:
    identifier, terms = line.prediction.id, _terms(site, job)
    if line.job_id and line.orphaned:
        what = f"is in the ledger as that of job {line.job_id}, and as an orphaned one"
        yield _finding(_TWICE, identifier, what, line.orphaned)
        return
    if terms is None or (line.job_id and not line.completed):
        return
    outcome = _outcome(site, line.prediction, job, terms, assets)
    cost = charged(terms, outcome)
    if cost is None:
        return
    expected = micro_dollars(cost)
    booked = line.charged if line.job_id else line.orphaned
    unsettled = bool(line.job_id) and (not line.settled or line.assumed)
    # Images that the safety checker took out cannot be counted any more once the output is deleted.
    most = terms.unit == "image" and outcome.data_removed and not unsettled
    if (booked == expected and not unsettled) or (most and 0 < booked <= expected):
        return
    if unsettled:
        what = (
            f"cost ${cost}; the estimate, ${dollars(booked)}, stands for it in job {line.job_id}"
            if line.settled
            else f"cost ${cost}, and job {line.job_id} has not been settled"
        )
        cure = partial(_settle, site, job, outcome)
        yield _finding(_MISSING, identifier, what, abs(expected - booked), cure)
    elif line.orphan is not None and not booked:
        what = f"cost ${cost}, an orphaned prediction of job {job.job_id} without a cost"
        cure = partial(_settle_orphan, site, job, line.orphan, outcome)
        yield _finding(_MISSING, identifier, what, expected, cure)
    else:
        what = f"cost ${cost}, and ${dollars(booked)} by the ledger, for job {job.job_id}"
        yield _finding(_OTHER, identifier, what, abs(expected - booked))


def _outcome(
    site: Site, listed: Prediction, job: Job, terms: PriceTerms, assets: Sequence[MediaAsset]
) -> Outcome:
    """With the output counted as it was when the job ended, and the time if the list tells none."""
    outcome = Outcome.of(listed, "doctor", job.output)
    if terms.unit == "gpu_second" and outcome.predict_time is None:
        found = site.provider.get(listed.id)
        if found is not None and found.status.terminal:
            outcome = Outcome.of(found, "doctor", job.output)
    return delivered(outcome, assets) if assets else outcome


def _unknown(site: Site, listed: Prediction) -> Iterator[Finding]:
    """No job has it, and it is not recorded as orphaned."""
    if listed.status in _FREE:
        return
    prediction = as_created(site, listed)
    if prediction is None:
        what = "could not be looked at, so it may belong to a job: try again"
        yield _finding(_MISSING, listed.id, what, None)
        return
    job_id = made_for(site, prediction)
    if job_id is None:
        return
    item = _item(site, job_id)
    if item is not None and item.result is None and item.replicate_id == prediction.id:
        return  # its job is about to end
    booked = bool(site.rows("SELECT 1 FROM jobs WHERE job_id = %s", job_id))
    job = item.job if item else job_of(site, job_id) if booked else None
    terms = _terms(site, job) if job else None
    cost = charged(terms, _outcome(site, prediction, job, terms, ())) if job and terms else None
    if cost == 0:
        return
    what = f"was made for job {job_id}, which does not know it"
    cure = partial(discard, site, job_id, item, prediction, booked) if booked else None
    amount = None if cost is None else micro_dollars(cost)
    yield _finding(_MISSING, prediction.id, what, amount, cure)


def _item(site: Site, job_id: str) -> TrackedJob | None:
    try:
        return site.tracking.get(job_id)
    except UNREADABLE:
        return None  # the doctor's other checks say so


def _terms(site: Site, job: Job) -> PriceTerms | None:
    """The price the job was accepted at; today's, if its item is gone; None if that hangs on parameters
    that were deleted, and for a job without a price."""
    if job.price is not None or job.estimated_cost is None:
        return job.price
    try:
        return price_terms(site.catalogue.find(job.model_id), job.parameters)
    except (KeyError, UnknownModel):
        return None


def _assets(site: Site, job_ids: Sequence[str]) -> dict[str, list[MediaAsset]]:
    found: dict[str, list[MediaAsset]] = {}
    for row in site.rows(_ASSETS, list(job_ids)):
        found.setdefault(row.pop("job_id"), []).append(MediaAsset(**row))
    return found


def _settle(site: Site, job: Job, outcome: Outcome) -> str:
    settle_prediction(site)(job, outcome.replicate_id, outcome)
    return "settled"


def _settle_orphan(site: Site, job: Job, orphan: OrphanedPrediction, outcome: Outcome) -> str:
    settle_orphan(site)(job, orphan, outcome)
    return "charged to the stage"


def _finding(check: str, subject: str, what: str, amount: int | None, cure: Any = None) -> Finding:
    money = None if amount is None else dollars(amount)
    advice = "" if cure else RUNBOOK
    return Finding(check=check, subject=subject, what=what, money=money, advice=advice, cure=cure)
