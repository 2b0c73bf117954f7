"""CreateJob: write the job to PostgreSQL and DynamoDB before anything is paid for."""

from datetime import datetime

from vsl.domain.job import Job, JobEvent
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import metrics
from vsl.runtime.wiring import accounting, live_jobs
from vsl.services.create_job import create_job


def _marks(event: Event) -> list[JobEvent]:
    """What lies behind the job by now, with the times at which the state machine moved on."""
    times = {"validated": event.get("validatedAt"), "admitted": event.get("admittedAt")}
    return [JobEvent(name, datetime.fromisoformat(at)) for name, at in times.items() if at]


@step
def handler(event: Event, _context: Context) -> Event:
    job = Job.from_document(event["job"])
    create_job(
        job,
        event.get("executionArn"),
        _marks(event),
        accounting=accounting(),
        live=live_jobs(),
        metrics=metrics,
    )
    return {"jobId": job.job_id}
