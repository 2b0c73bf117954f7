"""The user cancels a job: nothing more is paid for. A job whose output is being stored still completes.

The request is recorded on the tracking item, and every later step honours it: no attempt is claimed
after it, and no output is stored. A running prediction is canceled at the provider. A job whose output
is being stored by then completes: it is paid for, and its end is near.
"""

from dataclasses import dataclass

from vsl.domain.api.caller import Caller, job_not_found
from vsl.domain.errors import JobCanceled
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Outcome
from vsl.services.ports.provider import Provider
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.waiting.complete_wait import CompleteWait
from vsl.services.waiting.record_outcome import RecordOutcome


@dataclass(frozen=True, slots=True)
class CancelJob:
    tracking: TrackingStore
    provider: Provider
    complete_wait: CompleteWait
    record_outcome: RecordOutcome
    clock: Clock

    def __call__(self, job_id: str, caller: Caller) -> TrackedJob:
        """The job with the cancel recorded, or with the end it had before; repeating it is harmless.

        The consequences of the cancel may be quicker than this answer, which does not tell them.
        Raises JobNotFound.
        """
        if not is_job_id(job_id):
            raise job_not_found(job_id)
        found = self.tracking.get(job_id)
        if found is None:
            raise job_not_found(job_id)
        caller.check(job_id, found.job.user_id)
        item = self.tracking.request_cancel(job_id, self.clock.now())
        if item is None:
            return self.tracking.get(job_id) or found
        if item.outcome is None:
            self._end(item)
        return item

    def _end(self, item: TrackedJob) -> None:
        job_id = item.job.job_id
        if item.replicate_id is not None:
            prediction = self.provider.cancel(item.replicate_id)
            if prediction is not None and prediction.status.terminal:
                self.record_outcome(job_id, Outcome.of(prediction, "user", item.job.output))
        elif item.intent_at is None:
            # Between two attempts, or before the first: no prediction runs that could still end the wait.
            self.complete_wait(item, JobCanceled("The user canceled the job."))
        else:
            # It is not known whether the provider accepted: the job's end need not wait for that.
            self.tracking.reschedule(job_id, self.clock.now())
