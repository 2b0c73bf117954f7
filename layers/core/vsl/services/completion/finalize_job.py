"""The good end: media stored, cost known, end published."""

from dataclasses import dataclass, replace

from vsl.domain.errors import JobCanceled
from vsl.domain.jobs.job import Job, JobEvent, JobStatus, MediaAsset
from vsl.domain.money.pricing import delivered
from vsl.domain.predictions.prediction import Outcome
from vsl.services.completion.finish_job import FinishJob, ended
from vsl.services.money.compute_cost import ComputeCost
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class FinalizeJob:
    tracking: TrackingStore
    clock: Clock
    cost: ComputeCost
    finish: FinishJob

    def __call__(self, job: Job, outcome: Outcome, assets: tuple[MediaAsset, ...]) -> None:
        """Raises JobCanceled when the job has ended otherwise in the meantime."""
        item = self.tracking.get(job.job_id)
        end = JobEvent(JobStatus.SUCCEEDED.value, self.clock.now())
        finished = replace(
            ended(job, item, end),
            replicate_id=outcome.replicate_id,
            assets=assets,
            actual_cost=self.cost(job, delivered(outcome, assets)),
            predict_time=outcome.predict_time,
            total_time=outcome.total_time,
        )
        if not self.finish(finished):
            raise JobCanceled("The job has already ended otherwise.", jobId=job.job_id)
