"""A job begins to wait for a slot at the provider."""

from dataclasses import dataclass
from datetime import timedelta

from vsl.domain.errors import JobCanceled, ResubmitPrediction, VslError
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.pacing.join_queue import JoinQueue
from vsl.services.ports.limits import RateLimits
from vsl.services.ports.pacing import Slots, Turn
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.ports.workflow import TaskTokens
from vsl.services.submission.prediction_error import may_rerun
from vsl.services.waiting.complete_wait import CompleteWait


@dataclass(frozen=True, slots=True)
class AwaitSlot:
    """`longest` is how long a job may wait."""

    tracking: TrackingStore
    slots: Slots
    limits: RateLimits
    tokens: TaskTokens
    clock: Clock
    join_queue: JoinQueue
    complete_wait: CompleteWait
    longest: timedelta

    def __call__(self, job_id: str, task_token: str, error: VslError | None = None) -> Turn:
        """Store the token and join the queue; a job that can go on is woken at once.

        `error` is why the job waits: what the submission was refused with, or that it has to be repeated. A
        prediction that the platform broke off is abandoned here, so that its repetition takes a slot.
        """
        now = self.clock.now()
        if error is not None and (retry_after := error.details.get("retryAfter")):
            self.slots.throttled(job_id, now, float(str(retry_after)))
        elif isinstance(error, ResubmitPrediction) or (error and error.details.get("spent")):
            self.slots.spend(job_id, now)
        # Of the job's first wait; a later one ends when that would have.
        ends = now + self.longest
        item = self.tracking.join_queue(job_id, task_token, now, ends)
        if item.replicate_id is not None and may_rerun(item):
            # None when it is abandoned already, perhaps by this very call, repeated on its way.
            self.tracking.abandon_prediction(job_id, item.replicate_id, now)
            item = self.tracking.join_queue(job_id, task_token, now, ends)
        if item.queued_at is None:
            return self._pass_on(item, task_token)
        self.limits.extend(item.job.user_id, job_id, now, item.deadline)
        if item.cancel_requested_at is not None:
            self.complete_wait(item, JobCanceled("The user canceled the job."))
            return Turn(granted=False)
        return self.join_queue(item)

    def _pass_on(self, item: TrackedJob, task_token: str) -> Turn:
        """The job has ended, or an earlier submission is found to have been accepted after all."""
        self.slots.give_back(item.job.job_id, self.clock.now())
        if item.status.terminal:
            error = JobCanceled(f"The job has already ended as {item.status}.")
            self.tokens.fail(task_token, error.code, str(error))
        else:
            self.tokens.succeed(task_token, {})
        return Turn(granted=not item.status.terminal)
