"""A wait has run out. A finished prediction is used, a running one is stopped; never guess."""

from dataclasses import dataclass

from vsl.domain.errors import PredictionTimedOut
from vsl.domain.jobs.tracked_job import required
from vsl.domain.predictions.prediction import Outcome
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.prediction_error import prediction_error
from vsl.services.submission.stop_prediction import StopPrediction


@dataclass(frozen=True, slots=True)
class ResolveTimeout:
    tracking: TrackingStore
    clock: Clock
    stop: StopPrediction

    def __call__(self, job_id: str) -> tuple[int, Outcome]:
        """The attempt and its outcome, if the prediction succeeded after all.

        Else raises the outcome's error, or PredictionTimedOut.
        """
        item = required(self.tracking.get(job_id), job_id)
        outcome = item.outcome
        if outcome is None and item.replicate_id is not None:
            prediction = self.stop(item.replicate_id)
            if prediction is not None and prediction.status.terminal:
                outcome = Outcome.of(prediction, "timeout", item.job.output)
                item = self.tracking.record_outcome(job_id, outcome, self.clock.now()).item or item
                outcome = item.outcome or outcome
        if outcome is None:
            limit = item.job.timeout_seconds
            raise PredictionTimedOut(f"The model did not finish within {limit} seconds.")
        error = prediction_error(item, outcome)
        if error is not None:
            raise error
        return item.attempt, outcome
