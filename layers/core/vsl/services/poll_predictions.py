"""The poller: an equal citizen beside the webhook, so that a lost webhook costs a minute, not a job.

It reads only the jobs whose next check is due, asks the provider, and takes the webhook's own path.
What it does not get to in one run is still due in the next. It also settles what nobody else can:

- a release that failed: outcome and token are both there, so it answers the token;
- an uncertain submission (an intent, no id, the job parked on its token): it looks for the
  prediction in the provider's list, and after the settle time without a trace lets the job submit
  again, for the list has then been read and shows that nothing was accepted;
- a job past its deadline: its prediction is used if it has finished and stopped if not; a job with
  nothing to wait for is handed to the repair;
- a prediction without a use: it is stopped, and after the job's end the repair books what it cost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsl.domain.errors import (
    InternalError,
    JobCanceled,
    ResubmitPrediction,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome, Prediction
from vsl.services.ports import Callbacks, Clock, LiveJobs, Metrics, Provider
from vsl.services.rendezvous import fail_wait, record_outcome, release_if_complete
from vsl.services.resolve_timeout import stop
from vsl.services.submission import adopt

BATCH = 100
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Poller:
    """The outside of this use case, bound once.

    `report` is told of each job that could not be checked, `repair` of each whose execution is
    gone; `settle` is how long after its intent a submission without a trace counts as not made.
    """

    live: LiveJobs
    callbacks: Callbacks
    provider: Provider
    clock: Clock
    metrics: Metrics
    report: Callable[[str, VslError], None]
    repair: Callable[[str], None]
    settle: timedelta


def poll_predictions(poller: Poller, *, stop_at: datetime) -> dict[str, int]:
    """Check what is due until `stop_at`. Counts by result: `settled`, `waiting`, `failed`, `left`."""
    counts = {"settled": 0, "waiting": 0, "failed": 0, "left": 0}
    oldest = 0.0
    for job_id in poller.live.due(poller.clock.now(), BATCH):
        if poller.clock.now() >= stop_at:
            counts["left"] += 1
            continue
        item = poller.live.get(job_id)
        if item is None:
            continue
        if item.intent_at is not None and not item.status.terminal:
            oldest = max(oldest, (poller.clock.now() - item.intent_at).total_seconds())
        counts[_check(item, poller)] += 1
    poller.metrics.seconds("OldestWaiting", oldest)
    return counts


def _check(item: LiveJob, poller: Poller) -> str:
    """One job must not stop the others: its error is reported and it is looked at again later."""
    seen: Prediction | None = None
    try:
        settled = _settle(item, poller)
        if settled is True:
            return "settled"
        seen = settled or None
        result = "waiting"
    except VslError as error:
        poller.report(item.job.job_id, error)
        result = "failed"
    except Exception as error:  # noqa: BLE001 - the job that trips us would be the first of every run
        poller.report(item.job.job_id, InternalError(f"The check failed: {error!r}"))
        result = "failed"
    poller.live.reschedule(item.job.job_id, _next_check(item, poller.clock.now()), seen)
    return result


def _next_check(item: LiveJob, now: datetime) -> datetime:
    """Less and less often, but never past the deadline, and in every run from then on."""
    delay: timedelta = min(FIRST_DELAY * 2 ** min(item.check_count, 8), LONGEST_DELAY)
    if item.status.terminal:
        return now + delay
    return now if now >= item.deadline else min(now + delay, item.deadline)


def _settle(item: LiveJob, poller: Poller) -> bool | Prediction:
    """True when the job no longer waits for anything the poller could bring; its prediction when
    that still runs."""
    if item.status.terminal:
        return _follow_waste(item, poller)
    for waste in item.unbooked:
        stop(waste.replicate_id, poller.provider)
    if item.outcome is not None:
        return _release(item, poller)
    replicate_id = item.replicate_id
    if replicate_id is None:
        adopted = _adopt(item, poller)
        if adopted is None:
            return _settle_without_prediction(item, poller)
        replicate_id = adopted
    unwanted = _overdue(item, poller) or item.cancel_requested_at is not None
    ask = stop if unwanted else _get
    prediction = ask(replicate_id, poller.provider)
    if prediction is None:
        return False
    if not prediction.status.terminal:
        return prediction
    record_outcome(
        item.job.job_id,
        Outcome.of(prediction, "poller"),
        live=poller.live,
        callbacks=poller.callbacks,
        clock=poller.clock,
        metrics=poller.metrics,
    )
    # If nobody waits yet, the token's own registration will find the outcome.
    return True


def _follow_waste(item: LiveJob, poller: Poller) -> bool:
    """An ended job is in sight for its waste alone, which the repair books: it reaches PostgreSQL."""
    if item.unbooked:
        poller.repair(item.job.job_id)
        return False
    poller.live.unfollow(item)
    return True


def _release(item: LiveJob, poller: Poller) -> bool:
    released = release_if_complete(
        item, live=poller.live, callbacks=poller.callbacks, clock=poller.clock
    )
    if not released and _overdue(item, poller):
        poller.repair(item.job.job_id)
    return released


def _adopt(item: LiveJob, poller: Poller) -> str | None:
    """The id of a prediction whose create answer was lost, attached to the job by this."""
    if item.intent_at is None:
        return None
    try:
        adopted = adopt(
            item,
            live=poller.live,
            provider=poller.provider,
            clock=poller.clock,
            metrics=poller.metrics,
        )
    except SubmissionUncertain as error:
        if _overdue(item, poller):
            _fail(item, error, poller)
        raise
    return adopted.replicate_id if adopted else None


def _settle_without_prediction(item: LiveJob, poller: Poller) -> bool:
    """No prediction, and the provider's list has shown that there is none."""
    if item.cancel_requested_at is not None:
        return _fail(item, JobCanceled("The user canceled the job."), poller)
    if _overdue(item, poller):
        return _fail(item, SubmissionUncertain("The job could not be submitted in time."), poller)
    if item.task_token is None or item.released:
        return False
    # Without an intent an earlier run withdrew it and then did not get to say so.
    if item.intent_at is not None and (
        poller.clock.now() - item.intent_at < poller.settle
        or not poller.live.withdraw_intent(item.job.job_id, item.attempt)
    ):
        return False
    return _fail(item, ResubmitPrediction("The provider never saw the last attempt."), poller)


def _fail(item: LiveJob, error: VslError, poller: Poller) -> bool:
    """Wake the job with the error; a job past its deadline that waits for nothing is repaired."""
    failed = fail_wait(
        item, error, live=poller.live, callbacks=poller.callbacks, clock=poller.clock
    )
    if not failed and _overdue(item, poller):
        poller.repair(item.job.job_id)
    return failed


def _overdue(item: LiveJob, poller: Poller) -> bool:
    return poller.clock.now() >= item.deadline


def _get(replicate_id: str, provider: Provider) -> Prediction | None:
    return provider.get(replicate_id)
