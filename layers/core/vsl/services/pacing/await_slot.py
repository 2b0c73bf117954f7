"""A job begins to wait for a slot at the provider."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from vsl.domain.errors import JobCanceled, StoreUnavailable, VslError
from vsl.domain.jobs.flow import flow_of
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.pacing.wake_queued import WakeQueued
from vsl.services.ports.pacing import Slots, Turn
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.ports.workflow import TaskTokens
from vsl.services.waiting.complete_wait import CompleteWait

# A job whose turn has not come so long after it was to come is looked at by the poller.
MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AwaitSlot:
    """`longest` is how long a job may wait; `call_dispatcher` starts one, in a moment."""

    tracking: TrackingStore
    slots: Slots
    tokens: TaskTokens
    clock: Clock
    wake: WakeQueued
    complete_wait: CompleteWait
    call_dispatcher: Callable[[], None]
    longest: timedelta

    def __call__(self, job_id: str, task_token: str, error: VslError | None = None) -> Turn:
        """Store the token and join the queue; a job that can go on is woken at once.

        `error` is what the submission was refused with, if that is why the job waits.
        """
        now = self.clock.now()
        if error is not None and (retry_after := error.details.get("retryAfter")):
            self.slots.throttled(job_id, now, float(str(retry_after)))
        item = self.tracking.join_queue(job_id, task_token, now, now + self.longest)
        if item.queued_at is None:
            return self._pass_on(item, task_token)
        if item.cancel_requested_at is not None:
            self.complete_wait(item, JobCanceled("The user canceled the job."))
            return Turn(granted=False)
        return self.rejoin(item)

    def _pass_on(self, item: TrackedJob, task_token: str) -> Turn:
        """The job has ended, or an earlier submission is found to have been accepted after all."""
        self.slots.give_back(item.job.job_id, self.clock.now())
        if item.status.terminal:
            error = JobCanceled(f"The job has already ended as {item.status}.")
            self.tokens.fail(task_token, error.code, str(error))
        else:
            self.tokens.succeed(task_token, {})
        return Turn(granted=not item.status.terminal)

    def rejoin(self, item: TrackedJob) -> Turn:
        """Take the place again, where Redis has lost it: repeating it changes nothing."""
        now = self.clock.now()
        turn = self.slots.join(item.job.job_id, flow_of(item.job), now)
        if turn.granted:
            self.wake(item)
            return turn
        if turn.unwatched:
            with suppress(StoreUnavailable):  # the poller comes by
                self.call_dispatcher()
        check_at = now + timedelta(seconds=turn.starts_in) + MARGIN
        self.tracking.reschedule(item.job.job_id, min(check_at, item.deadline))
        return turn
