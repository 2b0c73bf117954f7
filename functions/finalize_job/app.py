"""FinalizeJob: write the good end to PostgreSQL, DynamoDB and Redis, in this order."""

from vsl.domain.jobs.job import Job, JobStatus, MediaAsset
from vsl.domain.predictions.prediction import Outcome
from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import FinalizeJobInput, FinalizeJobOutput
from vsl.runtime.use_cases.completion import finalize_job

prepare("dynamodb", "events", "ssm")
at_init(finalize_job)


@step
def handler(event: FinalizeJobInput, _context: Context) -> FinalizeJobOutput:
    finalize_job()(
        Job.from_document(event["job"]),
        Outcome.from_document(event["outcome"]),
        tuple(MediaAsset.from_document(asset) for asset in event["media"]["assets"]),
    )
    return {"status": JobStatus.SUCCEEDED.value}
