"""CancelJob: record the cancel, cancel at the provider, answer the status of the job."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import prepare
from vsl.runtime.use_cases.api import cancel_job

prepare("dynamodb", "ssm")


@api
def handler(event: Event, _context: Context) -> Response:
    item = cancel_job()(event["pathParameters"]["jobId"], caller(event))
    ended = item.status.terminal
    body = {"jobId": item.job.job_id, "status": item.status.value, "cancelRequested": not ended}
    return answer(200 if ended else 202, body)
