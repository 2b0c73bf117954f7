"""FinalizeJob: write the good end to PostgreSQL, DynamoDB and Redis, in this order."""

from vsl.domain.job import Job, JobStatus, MediaAsset
from vsl.domain.prediction import Outcome
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.wiring import books
from vsl.services.finalize_job import finalize_job


@step
def handler(event: Event, _context: Context) -> Event:
    finalize_job(
        Job.from_document(event["job"]),
        Outcome.from_document(event["outcome"]),
        tuple(MediaAsset.from_document(asset) for asset in event["media"]["assets"]),
        books(),
    )
    return {"status": JobStatus.SUCCEEDED.value}
