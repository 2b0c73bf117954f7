"""Write the job down before anything is paid for: first the accounting, then the live item."""

from datetime import timedelta

from vsl.domain.job import Job
from vsl.services.ports import Accounting, LiveJobs, Metrics

# What submission and its retries may take before the model's own time limit begins to run.
SUBMISSION_SLACK = timedelta(minutes=5)


def create_job(
    job: Job,
    execution_arn: str | None,
    *,
    accounting: Accounting,
    live: LiveJobs,
    metrics: Metrics,
) -> None:
    """Runs at the door, so that a job can be asked for as soon as it is promised, and in the job."""
    created = accounting.create_job(job, execution_arn)
    deadline = job.created_at + timedelta(seconds=job.timeout_seconds) + SUBMISSION_SLACK
    live.create(job, deadline, execution_arn)
    if created:
        metrics.count("JobStarted", mediaType=job.media_type, modelId=job.model_id)
