"""EstimateJob: what a job would cost and how long it would take, without making it."""

from vsl.runtime.body import json_body
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init
from vsl.runtime.use_cases.money import estimate_job

at_init(estimate_job)


@api
def handler(event: Event, _context: Context) -> Response:
    return answer(200, estimate_job()(event["pathParameters"]["modelId"], json_body(event)))
