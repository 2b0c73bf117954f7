"""GetStatus: Redis, then DynamoDB, then PostgreSQL; addresses are signed on read."""

from vsl.domain.api.status_request import StatusRequest
from vsl.runtime.caller import caller
from vsl.runtime.handler import (
    ASK_AGAIN,
    Context,
    Event,
    Response,
    answer,
    api,
    header,
    without_body,
)
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.reading import get_status

prepare("s3", "ssm")
at_init(get_status)

# What is left of the function's time when a wait must end: enough to answer.
_MARGIN = 2.0


@api
def handler(event: Event, context: Context) -> Response:
    query, known = event.get("queryStringParameters") or {}, header(event, "If-None-Match")
    job_id = event["pathParameters"]["jobId"]
    request = StatusRequest.parse(job_id, caller(event), query, known)
    found = get_status()(
        request,
        context.aws_request_id,
        lambda: context.get_remaining_time_in_millis() / 1000 - _MARGIN,
    )
    headers = {"Cache-Control": "private, no-cache", "ETag": found.tag}
    headers |= {} if found.waited else ASK_AGAIN
    return without_body(304, headers) if found.body is None else answer(200, found.body, headers)
