"""Attach a prediction to its job; one that comes too late is canceled at the provider."""

from dataclasses import dataclass

from vsl.domain.errors import JobCanceled
from vsl.domain.jobs.job import OrphanedPrediction
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Prediction
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.discard_prediction import DiscardPrediction


@dataclass(frozen=True, slots=True)
class Submitted:
    """`how` is the origin of the id: `created`, `adopted` (found again) or `known`."""

    replicate_id: str
    attempt: int
    how: str


@dataclass(frozen=True, slots=True)
class AttachPrediction:
    tracking: TrackingStore
    clock: Clock
    discard: DiscardPrediction

    def __call__(self, job_id: str, attempt: int, prediction: Prediction, source: str) -> Submitted:
        now = self.clock.now()
        item = self.tracking.record_prediction(job_id, attempt, prediction.id, now, source)
        if item.replicate_id != prediction.id:
            self.discard(job_id, OrphanedPrediction(prediction.id, now, source), prediction)
            if item.replicate_id is None:
                raise JobCanceled(f"The job has already ended as {item.status}.", jobId=job_id)
        refuse_if_over(item)
        how = "created" if source == "workflow" else "adopted"
        return Submitted(item.replicate_id, item.attempt, how)


def refuse_if_over(item: TrackedJob) -> None:
    """Nothing more is paid for once a job has ended or its user has asked for its end."""
    if item.status.terminal:
        raise JobCanceled(f"The job has already ended as {item.status}.", jobId=item.job.job_id)
    if item.cancel_requested_at is not None:
        raise JobCanceled("The user canceled the job.", jobId=item.job.job_id)
