"""One webhook of the provider: verify it, find its job, record its content, wake the job."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vsl.domain.errors import InvalidRequest, JobNotFound
from vsl.domain.jobs.job import OrphanedPrediction, WebhookReceipt
from vsl.domain.jobs.tracked_job import Recorded, TrackedJob
from vsl.domain.jobs.webhook_url import attempt_key, output_kind, parse_webhook_url
from vsl.domain.predictions.output import OutputKind
from vsl.domain.predictions.prediction import Outcome, Prediction
from vsl.domain.predictions.provider_values import clean_text, read_json
from vsl.services.money.settle_orphan import SettleOrphan
from vsl.services.money.settle_prediction import SettlePrediction
from vsl.services.ports.provider import Provider, WebhookDeduplication
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.discard_prediction import DiscardPrediction
from vsl.services.waiting.record_outcome import RecordOutcome
from vsl.services.waiting.verify_webhook import Delivery, VerifyWebhook

# A longer latency is a wrong clock's, and would distort the measured ones.
_LONGEST_LATENCY = 24 * 3600

_MAX_MESSAGE_ID = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessWebhook:
    tracking: TrackingStore
    provider: Provider
    deduplication: WebhookDeduplication
    clock: Clock
    metrics: Metrics
    verify: VerifyWebhook
    record_outcome: RecordOutcome
    discard: DiscardPrediction
    settle_prediction: SettlePrediction
    settle_orphan: SettleOrphan

    def __call__(self, delivery: Delivery) -> str:
        """`recorded`, `started`, `duplicate`, `ignored`, `orphaned` or `settled`.

        It reads nothing before it writes: a write that does not hold returns the item, which tells why.
        Raises InvalidSignature, InvalidRequest, or JobNotFound (the provider then tries again: the
        webhook may have outrun our own write).
        """
        now = self.clock.now()
        self.verify(delivery)
        prediction = _prediction(delivery.body)
        ended = prediction.status.terminal
        if ended and self.deduplication.seen(prediction.id):
            return "duplicate"
        job_id, attempt = self._owner(delivery.query, prediction)
        receipt = _receipt(delivery, prediction, now)
        # A job that knows of no prediction yet takes it for its own: the webhook outran the answer to
        # our own POST, or that answer was lost.
        if ended:
            recorded = self._record_end(job_id, attempt, prediction, receipt)
        else:
            recorded = self.tracking.record_start(job_id, receipt, attempt)
        if recorded.item is None:
            raise _unknown(prediction)
        if recorded.first:
            result = "recorded" if ended else "started"
        else:
            result = self._nothing_new(recorded.item, prediction)
        if ended:
            self.deduplication.remember(prediction.id)
        return result

    def _owner(self, query: Mapping[str, str], prediction: Prediction) -> tuple[str, int | None]:
        """Whose prediction it is, and of which attempt if that is known.

        The address is not signed, and anyone who has seen a webhook can send it to another one: it may
        only repeat what is proven. Proof is the echo of the address in the signed body; without it the
        job that has recorded the prediction as its own; without that, what the provider answers.
        """
        named = attempt_key(query.get("jobId"), query.get("attempt"))
        owner = parse_webhook_url(prediction.webhook)
        if owner is None:
            job_id = self.tracking.find_job_id(prediction.id)
            if job_id is not None:
                if named and named.job_id != job_id:
                    raise _different_jobs()
                return job_id, None
            asked = self.provider.get(prediction.id)
            owner = parse_webhook_url(asked.webhook if asked else None)
        if owner is None:
            raise _unknown(prediction)
        if named and named != owner:
            raise _different_jobs()
        return owner

    def _record_end(
        self, job_id: str, attempt: int | None, prediction: Prediction, receipt: WebhookReceipt
    ) -> Recorded:
        outcome = Outcome.of(prediction, "webhook", self._kind_of(job_id, prediction))
        recorded = self.record_outcome(job_id, outcome, receipt, attempt)
        if recorded.first and prediction.completed_at is not None:
            latency = (receipt.received_at - prediction.completed_at).total_seconds()
            if latency <= _LONGEST_LATENCY:
                self.metrics.seconds("WebhookLatency", max(0.0, latency))
        return recorded

    def _kind_of(self, job_id: str, prediction: Prediction) -> OutputKind:
        """An address may be a file or all of a text: the echoed address tells, and without one the job."""
        if prediction.output is None or parse_webhook_url(prediction.webhook):
            return output_kind(prediction.webhook)
        item = self.tracking.get(job_id)
        return OutputKind.FILES if item is None else item.job.output

    def _nothing_new(self, item: TrackedJob, prediction: Prediction) -> str:
        """An abandoned prediction, one that is not the job's, or one that comes after the end."""
        if prediction.id in item.abandoned_ids:
            return "ignored"
        if item.replicate_id != prediction.id:
            self._discard(item, prediction)
            return "orphaned"
        if not prediction.status.terminal:
            return "ignored"
        if item.status.terminal and item.settled_id != prediction.id:
            # The job ended before its prediction did: only now is it known what that cost.
            outcome = item.outcome or _outcome(item, prediction)
            self.settle_prediction(item.job, prediction.id, outcome)
            return "settled"
        return "duplicate"

    def _discard(self, item: TrackedJob, prediction: Prediction) -> None:
        """The job has another prediction, or has ended without one: this one is orphaned.

        Its end is what it cost; every orphaned prediction sends that webhook, too.
        """
        orphan = OrphanedPrediction(prediction.id, self.clock.now(), "webhook")
        self.discard(item.job.job_id, orphan, prediction)
        if prediction.status.terminal:
            self.settle_orphan(item.job, orphan, _outcome(item, prediction))


def _outcome(item: TrackedJob, prediction: Prediction) -> Outcome:
    return Outcome.of(prediction, "webhook", item.job.output)


def _prediction(body: bytes) -> Prediction:
    try:
        prediction = Prediction.parse(read_json(body))
    except ValueError as error:
        raise InvalidRequest("The body is not a prediction.") from error
    if prediction.implausible:
        left_out = ", ".join(prediction.implausible)
        _log.warning(
            "implausible values of prediction %s are left out: %s", prediction.id, left_out
        )
    return prediction


def _different_jobs() -> InvalidRequest:
    return InvalidRequest("The address names another job than the one the prediction belongs to.")


def _unknown(prediction: Prediction) -> JobNotFound:
    return JobNotFound("No job waits for this prediction.", replicateId=prediction.id)


def _receipt(delivery: Delivery, prediction: Prediction, at: datetime) -> WebhookReceipt:
    lower = {name.lower(): value for name, value in delivery.headers.items()}
    return WebhookReceipt(
        # It names an attribute of the item, and a row.
        webhook_id=clean_text(lower["webhook-id"])[:_MAX_MESSAGE_ID] or prediction.id,
        replicate_id=prediction.id,
        prediction_status=prediction.status.value,
        received_at=at,
    )
