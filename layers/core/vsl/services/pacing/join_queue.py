"""A place in the queue for a job that waits, or its turn, if that has come.

Repeating it changes nothing, and gives a place again that Redis has lost.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.flow import flow_of
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.pacing.wake_queued import WakeQueued
from vsl.services.ports.pacing import Slots, Turn
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore

# A job whose turn has not come so long after it was to come is looked at by the poller; one whose turn is
# far away, after a while all the same: the queue may have become quicker since, and its dispatcher have died.
MARGIN = timedelta(seconds=10)
LONGEST_UNSEEN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class JoinQueue:
    """`call_dispatcher` starts one, in a moment."""

    tracking: TrackingStore
    slots: Slots
    clock: Clock
    wake: WakeQueued
    call_dispatcher: Callable[[], None]

    def __call__(self, item: TrackedJob) -> Turn:
        now = self.clock.now()
        turn = self.slots.join(item.job.job_id, flow_of(item.job), now)
        if turn.granted:
            self.wake(item)
            return turn
        if turn.unwatched:
            with suppress(StoreUnavailable):  # the poller comes by
                self.call_dispatcher()
        self.tracking.reschedule(item.job.job_id, min(now + check_after(turn), item.deadline))
        return turn


def check_after(turn: Turn) -> timedelta:
    return min(timedelta(seconds=turn.starts_in), LONGEST_UNSEEN) + MARGIN
