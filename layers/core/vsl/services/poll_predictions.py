"""The poller: an equal citizen beside the webhook, so that a lost webhook costs a minute, not a job.

It reads only the jobs whose next check is due, asks the provider, and takes the webhook's own path.
What it does not get to in one run is still due in the next.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsl.domain.errors import VslError
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome
from vsl.services.ports import Callbacks, Clock, LiveJobs, Metrics, Provider
from vsl.services.rendezvous import record_outcome, release_if_complete
from vsl.services.resolve_timeout import stop
from vsl.services.submission import adopt

BATCH = 100
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Poller:
    """The outside of this use case, bound once; `report` is told of each job that could not be checked."""

    live: LiveJobs
    callbacks: Callbacks
    provider: Provider
    clock: Clock
    metrics: Metrics
    report: Callable[[str, VslError], None]


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
        if item.intent_at is not None:
            oldest = max(oldest, (poller.clock.now() - item.intent_at).total_seconds())
        counts[_check(item, poller)] += 1
    poller.metrics.seconds("OldestWaiting", oldest)
    return counts


def _check(item: LiveJob, poller: Poller) -> str:
    """One job must not stop the others: its error is reported and it is looked at again later."""
    try:
        if _settle(item, poller):
            return "settled"
        result = "waiting"
    except VslError as error:
        poller.report(item.job.job_id, error)
        result = "failed"
    delay = min(FIRST_DELAY * 2 ** min(item.check_count, 8), LONGEST_DELAY)
    poller.live.reschedule(item.job.job_id, poller.clock.now() + delay)
    return result


def _settle(item: LiveJob, poller: Poller) -> bool:
    """True when the job no longer waits for anything the poller could bring."""
    if item.outcome is not None:
        return release_if_complete(
            item, live=poller.live, callbacks=poller.callbacks, clock=poller.clock
        )
    if item.replicate_id is None:
        # Intent without an id: attach the prediction if there is one; paying again is not ours.
        adopted = adopt(
            item,
            live=poller.live,
            provider=poller.provider,
            clock=poller.clock,
            metrics=poller.metrics,
        )
        if adopted is None:
            return False
        replicate_id = adopted.replicate_id
    else:
        replicate_id = item.replicate_id
    overdue = poller.clock.now() >= item.deadline
    prediction = (
        stop(replicate_id, poller.provider) if overdue else poller.provider.get(replicate_id)
    )
    if prediction is None or not prediction.status.terminal:
        return False
    record_outcome(
        item.job.job_id,
        Outcome.of(prediction, "poller"),
        live=poller.live,
        callbacks=poller.callbacks,
        clock=poller.clock,
        metrics=poller.metrics,
    )
    # Not yet waited for: the token's own registration will find the outcome.
    return True
