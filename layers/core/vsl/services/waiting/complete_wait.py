"""Complete the task token of a waiting job once its end is known.

The two sides write the same item: AwaitPrediction the token, RecordOutcome the outcome. Each write
returns the item, and the side that sees both completes the token. A prediction that finishes in under
a second is recorded before the job waits; then AwaitPrediction completes its own token. Completing it
twice does no harm: the recorded outcome never changes and a used token counts as success.
"""

from dataclasses import dataclass

from vsl.domain.errors import JobCanceled, VslError
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.ports.workflow import TaskTokens
from vsl.services.submission.prediction_error import prediction_error


@dataclass(frozen=True, slots=True)
class CompleteWait:
    tracking: TrackingStore
    tokens: TaskTokens
    clock: Clock

    def __call__(self, item: TrackedJob, error: VslError | None = None) -> bool:
        """Fail the wait with `error`; without one complete it as the item's outcome or end says.

        True if this call did: the job waits, and what it waits for is there.
        """
        if item.task_token is None or item.token_completed:
            return False
        if error is None and item.outcome is not None:
            error = prediction_error(item, item.outcome)
        elif error is None and item.status.terminal:
            error = JobCanceled(f"The job has already ended as {item.status}.")
        if error is not None:
            self.tokens.fail(item.task_token, error.code, str(error))
        elif item.outcome is not None:
            output = {**item.outcome.document(), "attempt": item.attempt}  # for later steps' logs
            self.tokens.succeed(item.task_token, output)
        else:
            return False
        now = self.clock.now()
        self.tracking.record_token_completed(item.job.job_id, item.task_token, item.attempt, now)
        return True
