"""SubmitPrediction: exactly one paid prediction for the job, however often this step runs."""

from vsl.domain.jobs.job import Job
from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import SubmitPredictionInput, SubmitPredictionOutput
from vsl.runtime.use_cases.callbacks import publish_start
from vsl.runtime.use_cases.submission import submit_prediction

prepare("dynamodb", "ssm")
at_init(submit_prediction)


@step
def handler(event: SubmitPredictionInput, _context: Context) -> SubmitPredictionOutput:
    job = Job.from_document(event["job"])
    submitted = submit_prediction()(job)
    publish_start()(job)
    return {"replicateId": submitted.replicate_id, "attempt": submitted.attempt}
