"""CreateJob: write the job to PostgreSQL and DynamoDB before anything is paid for, and take a slot."""

from datetime import datetime

from vsl.domain.jobs.idempotency import KeyRecord
from vsl.domain.jobs.job import Job, JobEvent
from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import prepare
from vsl.runtime.payloads import CreateJobInput, CreateJobOutput
from vsl.runtime.use_cases.admission import create_job
from vsl.runtime.use_cases.pacing import reserve_slot

prepare("dynamodb", "ssm")


@step
def handler(event: CreateJobInput, _context: Context) -> CreateJobOutput:
    job = Job.from_document(event["job"])
    if not event.get("created"):  # a job that was created may be deleted by now: not created again
        key = KeyRecord.from_document(event.get("key"))
        job = create_job()(job, event.get("executionArn"), _events(event), key)
    if event.get("reserves"):
        reserve_slot()(job)
    return {"jobId": job.job_id}


def _events(event: CreateJobInput) -> list[JobEvent]:
    """The steps so far, with the times at which the state machine moved on."""
    times = {"validated": event.get("validatedAt"), "admitted": event.get("admittedAt")}
    return [JobEvent(name, datetime.fromisoformat(at)) for name, at in times.items() if at]
