"""The bad end: the reason is kept, a running prediction is stopped, the end is published."""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from vsl.domain.errors import JobCanceled, StoreUnavailable, VslError
from vsl.domain.jobs.job import Job, JobEvent, JobStatus
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Outcome
from vsl.services.completion.finish_job import FinishJob, ended
from vsl.services.completion.publish_end import PublishEnd
from vsl.services.money.compute_cost import ComputeCost
from vsl.services.ports.pacing import Slots
from vsl.services.ports.provider import Provider
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.adopt_prediction import AdoptPrediction

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FailJob:
    tracking: TrackingStore
    provider: Provider
    clock: Clock
    cost: ComputeCost
    adopt: AdoptPrediction
    finish: FinishJob
    publish_end: PublishEnd
    slots: Slots

    def __call__(self, job: Job, error: VslError) -> None:
        item = self.tracking.get(job.job_id)
        if item is None or item.queued_at is not None:
            self.slots.give_back(job.job_id, self.clock.now())
        if item is not None and item.status.terminal and item.result is not None:
            # The step that wrote the end may have died before it published it.
            self.publish_end(job, item)
            return
        if item is not None:
            item = self._stop_prediction(item)
        status = JobStatus.CANCELED if isinstance(error, JobCanceled) else JobStatus.FAILED
        outcome = item.outcome if item else None
        _logger.warning(
            "job failed",
            extra={"error_code": error.code, "provider_error": error.provider_error},
        )
        end = JobEvent(status.value, self.clock.now(), detail={"code": error.code})
        finished = replace(
            ended(job, item, end, error),
            actual_cost=self._paid(job, item),
            predict_time=outcome.predict_time if outcome else None,
            total_time=outcome.total_time if outcome else None,
            settled=_settled(item),
        )
        self.finish(finished)

    def _stop_prediction(self, item: TrackedJob) -> TrackedJob:
        """No step will use it any more. A submission whose answer was lost is searched for first.

        A provider that does not answer, or refuses us, must not keep the job open: `Cancel-After`
        bounds what the prediction can still cost, and the job stays in the polling index until that is
        known.
        """
        job_id = item.job.job_id
        try:
            if item.replicate_id is None and item.intent_at is not None:
                with suppress(JobCanceled):
                    self.adopt(item, decide=False)
                item = self.tracking.get(job_id) or item
            if item.replicate_id is not None and item.outcome is None:
                prediction = self.provider.cancel(item.replicate_id)
                if prediction is not None and prediction.status.terminal:
                    # Of a success that came too late only the cost is kept.
                    known = Outcome.of(prediction, "workflow", item.job.output)
                    outcome = replace(known, output=())
                    now = self.clock.now()
                    item = self.tracking.record_outcome(job_id, outcome, now).item or item
        except StoreUnavailable:
            raise
        except VslError:
            return self.tracking.get(job_id) or item
        return item

    def _paid(self, job: Job, item: TrackedJob | None) -> Decimal | None:
        """Nothing before a prediction, by its outcome after; unknown in between."""
        if item is None or item.replicate_id is None:
            return Decimal(0)
        return None if item.outcome is None else self.cost(job, item.outcome)


def _settled(item: TrackedJob | None) -> bool:
    """Whether all is known of the job's own prediction, or there never was one."""
    if item is None or item.replicate_id is None:
        return item is None or item.intent_at is None
    return item.outcome is not None
