"""Store how a prediction ended and wake its job if it waits, whichever source found the end first."""

from dataclasses import dataclass

from vsl.domain.jobs.job import WebhookReceipt
from vsl.domain.jobs.tracked_job import Recorded
from vsl.domain.predictions.prediction import Outcome
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore
from vsl.services.waiting.complete_wait import CompleteWait


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    tracking: TrackingStore
    clock: Clock
    metrics: Metrics
    complete_wait: CompleteWait

    def __call__(
        self,
        job_id: str,
        outcome: Outcome,
        receipt: WebhookReceipt | None = None,
        attempt: int | None = None,
    ) -> Recorded:
        now = self.clock.now()
        recorded = self.tracking.record_outcome(job_id, outcome, now, receipt, attempt)
        if recorded.first:
            self.metrics.count("OutcomeRecorded", source=outcome.source)
        if recorded.item is not None:
            self.complete_wait(recorded.item)
        return recorded
