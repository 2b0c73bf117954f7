"""It is the turn of a job that waits for a slot: it may be submitted.

The item comes first, then the token. If the process dies in between, the poller finds a job that waits
for nothing, and lets it submit.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vsl.domain.jobs.job import deadline
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.limits import RateLimits
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.ports.workflow import TaskTokens

# After which a woken job that shows no sign of having gone on is looked at.
CHECK_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class WakeQueued:
    tracking: TrackingStore
    tokens: TaskTokens
    limits: RateLimits
    clock: Clock

    def __call__(self, item: TrackedJob) -> bool:
        """False when the job does not wait for a slot."""
        token, now = item.task_token, self.clock.now()
        if token is None or item.queued_at is None:
            return False
        ends = now + self._time_left(item, item.queued_at)
        woken = self.tracking.leave_queue(item.job.job_id, token, now, ends, now + CHECK_AFTER)
        if woken is None:
            return False
        self.limits.extend(item.job.user_id, item.job.job_id, now, ends)
        self.tokens.succeed(token, {})
        self.tracking.record_token_completed(item.job.job_id, token, item.attempt, now)
        return True

    def _time_left(self, item: TrackedJob, queued_at: datetime) -> timedelta:
        """What the job had left when it began to wait."""
        if item.own_deadline is None:
            return deadline(queued_at, item.job.timeout_seconds) - queued_at
        return item.own_deadline - queued_at
