"""Where a waiting job and the end of its prediction meet, whichever comes first.

Both sides write the same item: the waiter its token, the finder of the outcome the outcome. Each
write returns the item, and whoever sees both halves answers the token. A prediction that finishes
in under a second is recorded before anybody waits for it; then the waiter answers its own token.
Answering twice does no harm: the recorded outcome never changes and a used token counts as success.
"""

from datetime import timedelta

from vsl.domain.errors import (
    JobCanceled,
    PredictionCanceled,
    PredictionTimedOut,
    ResubmitPrediction,
    VslError,
)
from vsl.domain.job import WebhookReceipt
from vsl.domain.live_job import LiveJob, Recorded
from vsl.domain.prediction import Outcome, PredictionStatus
from vsl.domain.prediction_errors import classify
from vsl.services.ports import Callbacks, Clock, LiveJobs, Metrics
from vsl.services.submission import may_rerun

# Cancel-After counts from the provider's clock, our intent from ours.
_DEADLINE_SLACK = timedelta(seconds=5)


def register_token(
    job_id: str, task_token: str, *, live: LiveJobs, callbacks: Callbacks, clock: Clock
) -> tuple[int, bool]:
    """Store the token of a job that begins to wait.

    Returns the attempt it waits for, and True when the token could be answered at once.
    """
    item = live.store_token(job_id, task_token, clock.now())
    return item.attempt, release_if_complete(item, live=live, callbacks=callbacks, clock=clock)


def record_outcome(
    job_id: str,
    outcome: Outcome,
    *,
    live: LiveJobs,
    callbacks: Callbacks,
    clock: Clock,
    metrics: Metrics,
    receipt: WebhookReceipt | None = None,
    attempt: int | None = None,
) -> Recorded:
    """Store how the prediction ended and wake the job if it waits, whoever found the end first."""
    recorded = live.record_outcome(job_id, outcome, clock.now(), receipt, attempt)
    if recorded.first:
        metrics.count("OutcomeRecorded", source=outcome.source)
    if recorded.item is not None:
        release_if_complete(recorded.item, live=live, callbacks=callbacks, clock=clock)
    return recorded


def outcome_error(item: LiveJob, outcome: Outcome) -> VslError | None:
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


def _ran_out_of_time(item: LiveJob) -> bool:
    outcome_events = [event.at for event in item.events if event.name == "outcome_recorded"]
    if item.intent_at is None or not outcome_events:
        return False
    allowed = timedelta(seconds=item.job.timeout_seconds) - _DEADLINE_SLACK
    return outcome_events[0] - item.intent_at >= allowed


def release_if_complete(
    item: LiveJob, *, live: LiveJobs, callbacks: Callbacks, clock: Clock
) -> bool:
    """Answer the token if both halves are there and nobody has. True if this call did."""
    if item.task_token is None or item.released:
        return False
    if item.outcome is not None:
        error = outcome_error(item, item.outcome)
        if error is not None:
            return fail_wait(item, error, live=live, callbacks=callbacks, clock=clock)
        told = {**item.outcome.document(), "attempt": item.attempt}  # for the logs of later steps
        callbacks.succeed(item.task_token, told)
        live.mark_released(item.job.job_id, item.task_token, item.attempt, clock.now())
        return True
    if item.status.terminal:
        ended = JobCanceled(f"The job has already ended as {item.status}.")
        return fail_wait(item, ended, live=live, callbacks=callbacks, clock=clock)
    return False


def fail_wait(
    item: LiveJob, error: VslError, *, live: LiveJobs, callbacks: Callbacks, clock: Clock
) -> bool:
    """Wake the job with an error, if it waits. True if this call did."""
    if item.task_token is None or item.released:
        return False
    callbacks.fail(item.task_token, error.code, str(error))
    live.mark_released(item.job.job_id, item.task_token, item.attempt, clock.now())
    return True
