"""A wait has run out. A finished prediction is used, a running one is stopped; never guess."""

from vsl.domain.errors import JobNotFound, PredictionTimedOut
from vsl.domain.prediction import Outcome, Prediction
from vsl.services.ports import Clock, LiveJobs, Provider
from vsl.services.rendezvous import outcome_error


def resolve_timeout(
    job_id: str, *, live: LiveJobs, provider: Provider, clock: Clock
) -> tuple[int, Outcome]:
    """The attempt and its outcome, if the prediction succeeded after all.

    Else raises the outcome's error, or PredictionTimedOut.
    """
    item = live.get(job_id)
    if item is None:
        raise JobNotFound("The job has no live item.", jobId=job_id)
    outcome = item.outcome
    if outcome is None and item.replicate_id is not None:
        prediction = stop(item.replicate_id, provider)
        if prediction is not None and prediction.status.terminal:
            outcome = Outcome.of(prediction, "timeout")
            item = live.record_outcome(job_id, outcome, clock.now()).item or item
            outcome = item.outcome or outcome
    if outcome is None:
        limit = item.job.timeout_seconds
        raise PredictionTimedOut(f"The model did not finish within {limit} seconds.")
    error = outcome_error(item, outcome)
    if error is not None:
        raise error
    return item.attempt, outcome


def stop(replicate_id: str, provider: Provider) -> Prediction | None:
    """Ask first, then cancel; the state that came of it."""
    prediction = provider.get(replicate_id)
    if prediction is None or prediction.status.terminal:
        return prediction
    return provider.cancel(replicate_id)
