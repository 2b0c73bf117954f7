"""One webhook of the provider: prove it, find its job, record what it says, wake the job."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from vsl.domain.errors import InvalidRequest, InvalidSignature, JobNotFound
from vsl.domain.job import Job, Waste, WebhookReceipt
from vsl.domain.live_job import LiveJob, Recorded
from vsl.domain.prediction import Outcome, Prediction
from vsl.domain.signature import verify
from vsl.domain.webhook_url import AttemptKey, attempt_key, parse_webhook_url
from vsl.services.ports import (
    Accounting,
    Callbacks,
    Clock,
    LiveJobs,
    Metrics,
    Provider,
    WebhookMemory,
    WebhookSecrets,
)
from vsl.services.rendezvous import record_outcome
from vsl.services.submission import discard


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came in: headers, the raw bytes that were signed, the query parameters."""

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Intake:
    """The outside of this use case, bound once; `cost` prices an ended prediction."""

    live: LiveJobs
    callbacks: Callbacks
    provider: Provider
    memory: WebhookMemory
    accounting: Accounting
    cost: Callable[[Job, Outcome], Decimal | None]
    clock: Clock
    metrics: Metrics


def process_webhook(delivery: Delivery, secrets: WebhookSecrets, intake: Intake) -> str:
    """What became of it: `recorded`, `started`, `duplicate`, `ignored` or `wasted`.

    It is written down before anything is read: a write that does not hold brings the item, which
    tells why. Raises InvalidSignature, InvalidRequest, or JobNotFound (the provider then tries
    again: the webhook may have outrun our own write).
    """
    now = intake.clock.now()
    _verify(delivery, secrets, intake)
    prediction = _prediction(delivery.body)
    ended = prediction.status.terminal
    if ended and intake.memory.seen(prediction.id):
        return "duplicate"
    key = _attempt_key(delivery.query, prediction)
    job_id = key.job_id if key else _job_id(prediction, intake.live)
    attempt = key.attempt if key else None
    receipt = _receipt(delivery, prediction, now)
    # A job that knows of no prediction yet takes it for its own: the webhook outran the answer to
    # our own POST, or that answer was lost.
    if ended:
        recorded = _record_end(job_id, attempt, prediction, receipt, intake)
    else:
        recorded = intake.live.record_start(job_id, receipt, attempt)
    if recorded.item is None:
        raise _unknown(prediction)
    if recorded.first:
        result = "recorded" if ended else "started"
    else:
        result = _nothing_new(recorded.item, prediction, intake)
    if ended:
        intake.memory.remember(prediction.id)
    return result


def _verify(delivery: Delivery, secrets: WebhookSecrets, intake: Intake) -> None:
    """A secret that was rotated just now is one more to try, whenever it may be asked for."""
    now = intake.clock.now().timestamp()
    try:
        verify(delivery.headers, delivery.body, secrets.current(), now)
    except InvalidSignature:
        try:
            verify(delivery.headers, delivery.body, secrets.renewed(), now)
        except InvalidSignature:
            intake.metrics.count("WebhookRejected")
            raise


def _prediction(body: bytes) -> Prediction:
    try:
        parsed: Any = json.loads(body)
        return Prediction.parse(parsed if isinstance(parsed, dict) else {})
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The body is not a prediction.") from error


def _attempt_key(query: Mapping[str, str], prediction: Prediction) -> AttemptKey | None:
    """The job and attempt the address names; the signed echo in the body has the last word."""
    named = attempt_key(query.get("jobId"), query.get("attempt"))
    signed = parse_webhook_url(prediction.webhook)
    if named and signed and named != signed:
        raise InvalidRequest("The address and the signed body name different jobs.")
    return signed or named


def _job_id(prediction: Prediction, live: LiveJobs) -> str:
    job_id = live.find_job_id(prediction.id)
    if job_id is None:
        raise _unknown(prediction)
    return job_id


def _unknown(prediction: Prediction) -> JobNotFound:
    return JobNotFound("No job waits for this prediction.", replicateId=prediction.id)


def _receipt(delivery: Delivery, prediction: Prediction, at: datetime) -> WebhookReceipt:
    lower = {name.lower(): value for name, value in delivery.headers.items()}
    return WebhookReceipt(
        webhook_id=lower["webhook-id"],
        replicate_id=prediction.id,
        prediction_status=prediction.status.value,
        received_at=at,
    )


def _discard(item: LiveJob, prediction: Prediction, intake: Intake) -> None:
    """The job has another prediction, or has ended without one: this one is waste.

    Its end is what it cost; every wasted prediction sends that webhook too.
    """
    found = Waste(prediction.id, intake.clock.now(), "webhook")
    discard(
        item.job.job_id,
        found,
        prediction,
        live=intake.live,
        provider=intake.provider,
        metrics=intake.metrics,
    )
    if prediction.status.terminal:
        cost = intake.cost(item.job, Outcome.of(prediction, "webhook"))
        intake.accounting.record_waste(item.job.job_id, replace(found, cost=cost))


def _record_end(
    job_id: str,
    attempt: int | None,
    prediction: Prediction,
    receipt: WebhookReceipt,
    intake: Intake,
) -> Recorded:
    recorded = record_outcome(
        job_id,
        Outcome.of(prediction, "webhook"),
        live=intake.live,
        callbacks=intake.callbacks,
        clock=intake.clock,
        metrics=intake.metrics,
        receipt=receipt,
        attempt=attempt,
    )
    if recorded.first and prediction.completed_at is not None:
        latency = (receipt.received_at - prediction.completed_at).total_seconds()
        intake.metrics.seconds("WebhookLatency", max(0.0, latency))
    return recorded


def _nothing_new(item: LiveJob, prediction: Prediction, intake: Intake) -> str:
    """Of a prediction given up, of one that is not the job's, or a straggler after the end."""
    if prediction.id in item.past:
        return "ignored"
    if item.replicate_id != prediction.id:
        _discard(item, prediction, intake)
        return "wasted"
    return "duplicate" if prediction.status.terminal else "ignored"
