"""EstimateJob: what a job would cost and how long it would take, without making it."""

from vsl.runtime.body import json_body
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.settings import settings
from vsl.runtime.wiring import catalogue
from vsl.services.estimate_job import estimate_job


@api
def handler(event: Event, _context: Context) -> Response:
    estimated = estimate_job(
        catalogue(),
        event["pathParameters"]["modelId"],
        json_body(event),
        allow_http=settings().allow_http_inputs,
    )
    return answer(200, estimated)
