"""ReplayCallback: call the client at its job's end once more."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import prepare
from vsl.runtime.use_cases.callbacks import replay_callback

prepare("sqs", "ssm")


@api
def handler(event: Event, context: Context) -> Response:
    job_id = event["pathParameters"]["jobId"]
    asked = replay_callback()(job_id, context.aws_request_id, caller(event))
    return answer(202, asked, {"Cache-Control": "no-store"})
