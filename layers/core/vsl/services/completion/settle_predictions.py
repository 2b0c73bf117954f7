"""Settle the predictions of an ended job: write down what each has cost once it has ended.

A job may end before its prediction does (a timeout, a stop, a cancel during the POST), with a
submission of which it is not known whether the provider accepted, and with orphaned predictions that
still run. Their last webhooks settle them, as a rule. The job stays in the polling index until all of
it is settled; the end that no webhook tells is read here, where PostgreSQL is reached.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsl.domain.errors import (
    ProviderAuthenticationFailed,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)
from vsl.domain.jobs.job import Job, OrphanedPrediction
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Outcome
from vsl.services.money.settle_orphan import SettleOrphan
from vsl.services.money.settle_prediction import SettlePrediction
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.discard_prediction import DiscardPrediction
from vsl.services.submission.search_predictions import SearchPredictions
from vsl.services.submission.stop_prediction import StopPrediction

# A prediction that still runs by then, or that the provider forgot, is settled without its cost.
PATIENCE = timedelta(days=1)
# How long after its intent an ended job may learn that there was no prediction; no step waits for it.
GRACE = timedelta(minutes=5)

_PROVIDER = (
    ProviderAuthenticationFailed,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)


@dataclass(frozen=True, slots=True)
class SettlePredictions:
    repository: JobRepository
    tracking: TrackingStore
    clock: Clock
    stop: StopPrediction
    search: SearchPredictions
    discard: DiscardPrediction
    settle_prediction: SettlePrediction
    settle_orphan: SettleOrphan

    def __call__(self, item: TrackedJob) -> None:
        """Stop what still runs, settle what has ended. An error of the provider for one prediction does
        not stop the others: the next call reads it again."""
        with suppress(*_PROVIDER):
            self._own(item)
        with suppress(*_PROVIDER):
            self._lost(item)
        for orphan in item.unsettled_orphans:
            with suppress(*_PROVIDER):
                self._orphaned(item.job, orphan)

    def _own(self, item: TrackedJob) -> None:
        if item.replicate_id is None or item.settled_id == item.replicate_id:
            return
        outcome = item.outcome or self._end_of(item.job, item.replicate_id)
        if outcome is not None or not self._still_young(item.updated_at):
            self.settle_prediction(item.job, item.replicate_id, outcome)

    def _lost(self, item: TrackedJob) -> None:
        """A submission of which it is not known whether it was accepted: found, it is an orphan."""
        if item.replicate_id is not None or item.intent_at is None:
            return
        job_id, now = item.job.job_id, self.clock.now()
        result = self.search(item, decide=now - item.intent_at >= GRACE)
        for _, prediction in result.traces:
            self.discard(job_id, OrphanedPrediction(prediction.id, now, "list"), prediction)
        if result.traces or result.complete or not self._still_young(item.intent_at):
            self.repository.release_hold(job_id)
            self.tracking.withdraw_intent(job_id, item.attempt, released=True)
        elif result.search is not None:
            self.tracking.save_search(job_id, item.attempt, result.search)

    def _orphaned(self, job: Job, orphan: OrphanedPrediction) -> None:
        outcome = self._end_of(job, orphan.replicate_id)
        if outcome is not None or not self._still_young(orphan.found_at):
            self.settle_orphan(job, orphan, outcome)

    def _end_of(self, job: Job, replicate_id: str) -> Outcome | None:
        """Stopped, if it still runs."""
        prediction = self.stop(replicate_id)
        if prediction is None or not prediction.status.terminal:
            return None
        return Outcome.of(prediction, "poller", job.output)

    def _still_young(self, at: datetime) -> bool:
        return self.clock.now() - at <= PATIENCE
