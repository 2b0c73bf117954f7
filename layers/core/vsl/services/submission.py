"""Exactly one paid prediction per job, although the step that pays may run any number of times.

Replicate has no idempotency key, so the order of writes is the protocol:

1. claim attempt n in the live item (the intent), conditionally;
2. POST, with a webhook address that carries jobId and n;
3. attach the prediction's id to the item, conditionally.

Whoever finds an intent without an id does not know whether the provider accepted. It looks for the
prediction first: a `start` webhook may have attached it, else the provider's own list shows its
webhook address. Only after a settle time without any trace may attempt n + 1 be paid for. Proof
that nothing was accepted (429, connection refused, a 4xx) withdraws the intent. A job that cannot
know parks: it waits like any other, and the poller finds out (`poll_predictions`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vsl.domain.errors import (
    JobCanceled,
    JobNotFound,
    PredictionInterrupted,
    ProviderAuthenticationFailed,
    ProviderInsufficientCredit,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    SubmissionUncertain,
)
from vsl.domain.job import Job, Waste
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Prediction, PredictionStatus
from vsl.domain.prediction_errors import classify
from vsl.domain.webhook_url import parse_webhook_url, webhook_url
from vsl.services.ports import Clock, LiveJobs, Metrics, Provider

# How far the provider's clock may lag behind ours when we ask for what came since the intent.
CLOCK_SKEW = timedelta(seconds=60)
# How many list entries without a webhook address are fetched one by one.
MAX_CANDIDATES = 50
# The poller's first look: soon after the model should be done.
FIRST_CHECK_MARGIN = timedelta(seconds=5)

_NOT_ACCEPTED = (
    ProviderThrottled,
    ProviderUnavailable,
    ProviderRejected,
    ProviderAuthenticationFailed,
    ProviderInsufficientCredit,
)


@dataclass(frozen=True, slots=True)
class Submitted:
    """`how` tells how the id was come by: `created`, `adopted` (found again) or `known`."""

    replicate_id: str
    attempt: int
    how: str


def may_rerun(item: LiveJob) -> bool:
    """Whether the job's prediction was broken off by the provider's platform and may be repeated.

    Such a prediction is not charged for; how often is the catalogue's policy (`reruns`).
    """
    return (
        item.outcome is not None
        and item.outcome.status is PredictionStatus.FAILED
        and isinstance(classify(item.outcome), PredictionInterrupted)
        and len(item.past) < item.job.reruns
        and item.cancel_requested_at is None
    )


@dataclass(frozen=True, slots=True)
class Submission:
    """What to send: the model's reference, its true input, where the webhook goes."""

    job: Job
    reference: str
    provider_input: Mapping[str, Any]
    webhook_base: str
    settle: timedelta


def submit(
    submission: Submission, *, live: LiveJobs, provider: Provider, clock: Clock, metrics: Metrics
) -> Submitted:
    """Raises SubmissionUncertain as long as nobody knows; calling again is always safe."""
    job_id = submission.job.job_id
    item = _item(job_id, live)
    _refuse_if_over(item)
    if item.replicate_id and may_rerun(item):
        # None when it is given up already, perhaps by this very call, repeated on its way.
        live.give_up_prediction(job_id, item.replicate_id, clock.now())
        item = _item(job_id, live)
    if item.replicate_id:
        return Submitted(item.replicate_id, item.attempt, "known")
    if item.intent_at is not None:
        adopted = adopt(item, live=live, provider=provider, clock=clock, metrics=metrics)
        if adopted:
            return adopted
        if clock.now() - item.intent_at < submission.settle:
            raise SubmissionUncertain(
                "The provider may have accepted the last attempt; waiting for a trace of it.",
                jobId=job_id,
                attempt=item.attempt,
            )
    return _attempt(submission, item, live=live, provider=provider, clock=clock, metrics=metrics)


def adopt(
    item: LiveJob, *, live: LiveJobs, provider: Provider, clock: Clock, metrics: Metrics
) -> Submitted | None:
    """Find the prediction of an intent in the provider's list and attach it to the job.

    Raises SubmissionUncertain when the list cannot be read: no trace is then no proof.
    """
    if item.intent_at is None:
        return None
    try:
        found = sorted(
            (
                trace
                for trace in _traces(item.job.job_id, item.intent_at - CLOCK_SKEW, provider)
                if trace[1].id not in item.past
            ),
            key=lambda trace: trace[0],
        )
    except (ProviderThrottled, ProviderUnavailable) as error:
        message = "The provider's list could not be read."
        raise SubmissionUncertain(message, jobId=item.job.job_id) from error
    winner: Submitted | None = None
    for attempt, prediction in found:
        submitted = attach(
            item.job.job_id,
            attempt,
            prediction,
            source="list",
            live=live,
            provider=provider,
            clock=clock,
            metrics=metrics,
        )
        winner = winner or submitted
    return winner


def attach(
    job_id: str,
    attempt: int,
    prediction: Prediction,
    *,
    source: str,
    live: LiveJobs,
    provider: Provider,
    clock: Clock,
    metrics: Metrics,
) -> Submitted:
    """Attach a prediction to its job; one that comes too late is canceled at the provider."""
    item = live.record_prediction(job_id, attempt, prediction.id, clock.now(), source)
    if item.replicate_id != prediction.id:
        found = Waste(prediction.id, clock.now(), source)
        discard(job_id, found, prediction, live=live, provider=provider, metrics=metrics)
        if item.replicate_id is None:
            raise JobCanceled(f"The job has already ended as {item.status}.", jobId=job_id)
    _refuse_if_over(item)
    return Submitted(
        item.replicate_id, item.attempt, "created" if source == "workflow" else "adopted"
    )


def discard(
    job_id: str,
    found: Waste,
    prediction: Prediction,
    *,
    live: LiveJobs,
    provider: Provider,
    metrics: Metrics,
) -> None:
    """A prediction its job has no use for: note it, count it, stop it before it costs more.

    The note comes first: should the step die here, the accounting still learns of it.
    """
    live.add_waste(job_id, found)
    metrics.count("PredictionWasted")
    if not prediction.status.terminal:
        provider.cancel(prediction.id)


def _item(job_id: str, live: LiveJobs) -> LiveJob:
    item = live.get(job_id)
    if item is None:
        raise JobNotFound("The job has no live item.", jobId=job_id)
    return item


def _refuse_if_over(item: LiveJob) -> None:
    """A job that has ended, or that its user wants ended, pays for nothing more."""
    if item.status.terminal:
        raise JobCanceled(f"The job has already ended as {item.status}.", jobId=item.job.job_id)
    if item.cancel_requested_at is not None:
        raise JobCanceled("The user canceled the job.", jobId=item.job.job_id)


def _attempt(
    submission: Submission,
    item: LiveJob,
    *,
    live: LiveJobs,
    provider: Provider,
    clock: Clock,
    metrics: Metrics,
) -> Submitted:
    job, attempt = submission.job, item.attempt + 1
    now = clock.now()
    first_check = now + timedelta(seconds=job.estimated_time) + FIRST_CHECK_MARGIN
    if live.write_intent(job.job_id, attempt, now, first_check) is None:
        raise SubmissionUncertain("Another call is submitting this job.", jobId=job.job_id)
    try:
        prediction = provider.create(
            submission.reference,
            submission.provider_input,
            webhook_url(submission.webhook_base, job.job_id, attempt),
            job.timeout_seconds,
        )
    except _NOT_ACCEPTED:
        live.withdraw_intent(job.job_id, attempt)
        raise
    return attach(
        job.job_id,
        attempt,
        prediction,
        source="workflow",
        live=live,
        provider=provider,
        clock=clock,
        metrics=metrics,
    )


def _traces(job_id: str, since: datetime, provider: Provider) -> Iterator[tuple[int, Prediction]]:
    """Every prediction of the job in the provider's list, with its attempt."""
    candidates = 0
    for listed in provider.list_since(since):
        prediction = listed
        if listed.webhook is None and candidates < MAX_CANDIDATES:
            candidates += 1
            prediction = provider.get(listed.id) or listed
        key = parse_webhook_url(prediction.webhook)
        if key and key.job_id == job_id:
            yield key.attempt, prediction
