"""Write the job down before anything is paid for: first the accounting, then the live item."""

from collections.abc import Sequence

from vsl.domain.job import Job, JobEvent
from vsl.services.ports import Accounting, LiveJobs, Metrics


def create_job(
    job: Job,
    execution_arn: str | None,
    marks: Sequence[JobEvent] = (),
    *,
    accounting: Accounting,
    live: LiveJobs,
    metrics: Metrics,
) -> None:
    """Runs at the door, so that a job can be asked for as soon as it is promised, and in the job."""
    created = accounting.create_job(job, execution_arn)
    live.create(job, job.deadline, execution_arn, marks)
    if created:
        metrics.count("JobStarted", mediaType=job.media_type, modelId=job.model_id)
