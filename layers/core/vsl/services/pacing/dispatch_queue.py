"""Wake the jobs that wait for a slot, one slot after another, while any job waits.

One dispatcher at a time, by a lease that it renews. When it dies, the jobs whose turn should have come are
due for the poller, which calls another. When it finds that Redis was emptied, it puts the jobs that wait
back into the queue, by their tracking items.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsl.domain.jobs.flow import flow_of
from vsl.domain.jobs.job import Job, Priority
from vsl.services.pacing.join_queue import JoinQueue
from vsl.services.pacing.wake_queued import WakeQueued
from vsl.services.ports.pacing import Slots
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore

# A job that joins meanwhile may be due sooner than what was seen.
LONGEST_NAP = 1.0
TELL_EVERY = timedelta(minutes=1)
RENEW_EVERY = timedelta(seconds=10)
# A user of whom still so many jobs wait asks for much; it is no surprise when those wait long.
LARGE = 10
CLASSES = ("batch", "large", "small")
# How long a dispatcher counts as alive after its last sign.
BEAT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class DispatchQueue:
    """`sleep` takes seconds; `renew` answers whether this dispatcher is still the one."""

    tracking: TrackingStore
    slots: Slots
    clock: Clock
    metrics: Metrics
    wake: WakeQueued
    join_queue: JoinQueue
    sleep: Callable[[float], None]

    def rejoin(self, job_ids: Sequence[str]) -> None:
        """Jobs that wait although their turn should have come: Redis may have lost them."""
        for job_id in job_ids:
            item = self.tracking.get(job_id)
            if item is not None and item.queued_at is not None:
                self.join_queue(item)

    def __call__(self, stop_at: datetime, renew: Callable[[], bool]) -> tuple[int, bool]:
        """How many jobs were woken, and whether others still wait when the time is used.

        Jobs may have joined while others were woken, and found a dispatcher at work: it ends only when
        none waits and none was woken since it looked.
        """
        woken = 0
        told_at: datetime | None = None
        renewed_at = self.clock.now()
        while (now := self.clock.now()) < stop_at:
            if now - renewed_at >= RENEW_EVERY:
                renewed_at = now
                if not renew():
                    return woken, False
            turn = self.slots.next(now, now + BEAT)
            if turn.incomplete:
                self._refill()
            if told_at is None or now - told_at >= TELL_EVERY:
                told_at = now
                self.metrics.record({"SlotQueue": turn.waiting})
            woken += sum(self._wake(job_id) for job_id in turn.job_ids)
            if turn.incomplete:
                continue  # it may be longer now
            if turn.next_in is None and not turn.job_ids:
                return woken, False
            if turn.next_in:
                self.sleep(min(turn.next_in, LONGEST_NAP))
        return woken, True

    def _refill(self) -> None:
        """In the order in which they were created: a flow's jobs have that among themselves."""
        for item in sorted(self.tracking.queued(), key=lambda item: item.job.job_id):
            job = item.job
            if self.slots.reserve(job.job_id, flow_of(job), self.clock.now()).granted:
                self.wake(item)
        self.slots.mark_complete(self.clock.now())

    def any_wait(self) -> bool:
        return self.slots.waiting(self.clock.now()) > 0

    def _class_of(self, job: Job) -> str:
        if job.priority is Priority.BATCH:
            return "batch"
        outlook = self.slots.outlook(flow_of(job), self.clock.now())
        return "large" if outlook is not None and outlook.of_flow >= LARGE else "small"

    def _wake(self, job_id: str) -> bool:
        item = self.tracking.get(job_id)
        if item is None or item.status.terminal or item.cancel_requested_at is not None:
            self.slots.give_back(job_id, self.clock.now())
            return False
        if item.queued_at is not None:
            waited = (self.clock.now() - item.queued_at).total_seconds()
            self.metrics.seconds("SlotWait", waited, userClass=self._class_of(item.job))
            return self.wake(item)
        if item.intent_at is not None or item.replicate_id is not None:
            self.slots.give_back(job_id, self.clock.now())  # it went on without
        # Else its token is on the way, and AwaitSlot finds the slot that is kept for it.
        return False
