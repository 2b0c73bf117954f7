"""DeleteJob: media and personal data go, what the job cost stays."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, api, without_body
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.api import delete_job

prepare("dynamodb", "s3", "ssm")
at_init(delete_job)


@api
def handler(event: Event, _context: Context) -> Response:
    delete_job()(event["pathParameters"]["jobId"], caller(event))
    return without_body(204)
