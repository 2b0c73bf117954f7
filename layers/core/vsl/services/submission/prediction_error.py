"""What the outcome of a prediction means for its job."""

from datetime import timedelta

from vsl.domain.errors import (
    JobCanceled,
    PredictionCanceled,
    PredictionInterrupted,
    PredictionTimedOut,
    ResubmitPrediction,
    VslError,
)
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.domain.predictions.prediction_errors import classify

# Cancel-After counts from the provider's clock, the intent from ours.
_DEADLINE_SLACK = timedelta(seconds=5)


def may_rerun(item: TrackedJob) -> bool:
    """Whether the provider's platform interrupted the job's prediction and it may be repeated.

    Such a prediction is not charged for; how often is the catalogue's policy (`reruns`).
    """
    return (
        item.outcome is not None
        and item.outcome.status is PredictionStatus.FAILED
        and isinstance(classify(item.outcome), PredictionInterrupted)
        and len(item.abandoned_ids) < item.job.reruns
        and item.cancel_requested_at is None
    )


def prediction_error(item: TrackedJob, outcome: Outcome) -> VslError | None:
    """The error that this outcome means for the job; None when the prediction succeeded."""
    if outcome.status is PredictionStatus.SUCCEEDED:
        return None
    if may_rerun(item):
        return ResubmitPrediction("The provider's platform broke the prediction off.")
    error = classify(outcome)
    if isinstance(error, PredictionCanceled):
        if item.cancel_requested_at is not None:
            return JobCanceled("The user canceled the job.")
        if _ran_out_of_time(item):
            limit = item.job.timeout_seconds
            return PredictionTimedOut(f"The model did not finish within {limit} seconds.")
    return error


def _ran_out_of_time(item: TrackedJob) -> bool:
    outcome_events = [event.at for event in item.events if event.name == "outcome_recorded"]
    if item.intent_at is None or not outcome_events:
        return False
    allowed = timedelta(seconds=item.job.timeout_seconds) - _DEADLINE_SLACK
    return outcome_events[0] - item.intent_at >= allowed
