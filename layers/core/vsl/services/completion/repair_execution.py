"""An execution is over, or never began, and its job does not know: bring the job to its end.

Step Functions runs no catcher when an execution is stopped or times out as a whole. EventBridge calls
this for every execution that ended badly, and the poller for jobs past their deadline and for ended
ones with a prediction that is not settled; for any other job it does nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.errors import ExecutionStopped, JobNotStarted, VslError
from vsl.domain.jobs.execution import ExecutionState
from vsl.domain.jobs.job import Job, JobStatus
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.completion.fail_job import FailJob
from vsl.services.completion.publish_end import PublishEnd
from vsl.services.completion.settle_predictions import SettlePredictions
from vsl.services.ports.tracking import TrackingStore
from vsl.services.ports.workflow import Executions


@dataclass(frozen=True, slots=True)
class RepairExecution:
    tracking: TrackingStore
    executions: Executions
    publish_end: PublishEnd
    settle_predictions: SettlePredictions
    fail: FailJob

    def __call__(
        self,
        job_id: str,
        reason: str,
        given: Mapping[str, Any] | None = None,
        execution_arn: str | None = None,
    ) -> str:
        """`nothing to do`, `published`, `settled`, `unsettled`, `unknown job`, `recorded`, `still running`
        or `not yet over`.

        `given` is the job document, if one is known; `execution_arn` the execution that is said to be
        over. A job whose execution still runs is left to it, however late it is: the output that is
        being stored is paid for. `not yet over`: Step Functions still shows the execution as running.
        """
        item = self.tracking.get(job_id)
        if item is not None and item.result is not None:
            return self._settle(item, execution_arn)
        job = given or (item.job.document() if item else None)
        if job is None:
            return "unknown job"
        arn = (item.execution_arn if item else None) or execution_arn
        state = self.executions.state(arn) if arn else ExecutionState.OVER
        if state is ExecutionState.RUNNING:
            return "not yet over" if arn == execution_arn else "still running"
        error: VslError = ExecutionStopped(reason)
        if state is ExecutionState.ABSENT and item is not None and not item.begun:
            error = JobNotStarted("The job could not be started.")
        self.fail(Job.from_document(job), error)
        return "recorded"

    def _settle(self, item: TrackedJob, execution_arn: str | None) -> str:
        # A good end is not noted as published; its execution has done it, unless that ended badly.
        bad = execution_arn is not None or item.status is not JobStatus.SUCCEEDED
        published = self.publish_end(item.job, item, publish=bad)
        if item.unsettled:
            self.settle_predictions(item)
            after = self.tracking.get(item.job.job_id)
            return "unsettled" if after and after.unsettled else "settled"
        return "published" if published else "nothing to do"
