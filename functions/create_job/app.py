"""CreateJob: write the job to PostgreSQL and DynamoDB before anything is paid for."""

from vsl.domain.job import Job
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import metrics
from vsl.runtime.wiring import accounting, live_jobs
from vsl.services.create_job import create_job


@step
def handler(event: Event, _context: Context) -> Event:
    job = Job.from_document(event["job"])
    create_job(
        job,
        event.get("executionArn"),
        accounting=accounting(),
        live=live_jobs(),
        metrics=metrics,
    )
    return {"jobId": job.job_id}
