"""EstimateJob: what a job would cost and how long it would take, without making it."""

from vsl.runtime.body import json_body
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.money import estimate_job

prepare("ssm")
at_init(estimate_job)


@api
def handler(event: Event, _context: Context) -> Response:
    body = json_body(event)
    model_id = event["pathParameters"]["modelId"]
    return answer(200, estimate_job()(model_id, body, caller(event, body).user_id))
