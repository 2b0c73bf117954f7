"""One webhook of the provider: prove it, find its job, record what it says, wake the job."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from vsl.domain.errors import InvalidRequest, InvalidSignature, JobNotFound
from vsl.domain.job import Job, Waste, WebhookReceipt
from vsl.domain.live_job import LiveJob
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

    Raises InvalidSignature, InvalidRequest, or JobNotFound (the provider then tries again: the
    webhook may have outrun our own write).
    """
    now = intake.clock.now()
    _verify(delivery, secrets, intake)
    prediction = _prediction(delivery.body)
    if prediction.status.terminal and intake.memory.seen(prediction.id):
        return "duplicate"
    key = _attempt_key(delivery.query, prediction)
    item = _find(key, prediction, intake.live)
    receipt = _receipt(delivery, prediction, intake)
    if prediction.id in item.past:
        return "ignored"
    if item.replicate_id is None and not item.status.terminal:
        # The webhook outran the answer to our own POST, or that answer was lost: adopt it.
        attempt = key.attempt if key else item.attempt
        item = intake.live.record_prediction(
            item.job.job_id, attempt, prediction.id, now, "webhook"
        )
    if item.replicate_id != prediction.id:
        _discard(item, prediction, intake)
        result = "wasted"
    elif not prediction.status.terminal:
        result = _started(item, receipt, intake)
    else:
        result = _ended(item, prediction, receipt, intake)
    if prediction.status.terminal:
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


def _find(key: AttemptKey | None, prediction: Prediction, live: LiveJobs) -> LiveJob:
    item = live.get(key.job_id) if key else live.find_by_replicate_id(prediction.id)
    if item is None:
        raise JobNotFound("No job waits for this prediction.", replicateId=prediction.id)
    return item


def _receipt(delivery: Delivery, prediction: Prediction, intake: Intake) -> WebhookReceipt:
    lower = {name.lower(): value for name, value in delivery.headers.items()}
    return WebhookReceipt(
        webhook_id=lower["webhook-id"],
        replicate_id=prediction.id,
        prediction_status=prediction.status.value,
        received_at=intake.clock.now(),
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


def _started(item: LiveJob, receipt: WebhookReceipt, intake: Intake) -> str:
    """A sign of life; after the end it is a straggler and says nothing new."""
    if item.outcome is not None or item.status.terminal:
        return "ignored"
    intake.live.add_receipt(item.job.job_id, receipt)
    return "started"


def _ended(item: LiveJob, prediction: Prediction, receipt: WebhookReceipt, intake: Intake) -> str:
    first = record_outcome(
        item.job.job_id,
        Outcome.of(prediction, "webhook"),
        live=intake.live,
        callbacks=intake.callbacks,
        clock=intake.clock,
        metrics=intake.metrics,
        receipt=receipt,
    )
    if first and prediction.completed_at is not None:
        latency = (receipt.received_at - prediction.completed_at).total_seconds()
        intake.metrics.seconds("WebhookLatency", max(0.0, latency))
    return "recorded" if first else "duplicate"
