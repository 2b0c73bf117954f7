"""GetStatus: Redis, then DynamoDB, then PostgreSQL; addresses are signed on read."""

from vsl.domain.conditional import entity_tag, is_known
from vsl.domain.status import current_progress
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api, header, without_body
from vsl.runtime.wiring import accounting, clock, history, lazily, live_jobs, signer, status_cache
from vsl.services.await_change import await_change, wait_seconds
from vsl.services.get_status import StatusStores, included, public_status, read_status

# What is left of the function's time when a wait must end: enough to answer.
_MARGIN = 2.0


@api
def handler(event: Event, context: Context) -> Response:
    job_id, who = event["pathParameters"]["jobId"], caller(event)
    query = event.get("queryStringParameters") or {}
    wait, include = wait_seconds(query.get("wait")), included(query.get("include"))
    stores = StatusStores(status_cache(), lazily(live_jobs), lazily(accounting))
    document = read_status(job_id, who, stores)
    if wait:
        wait_left = min(wait, context.get_remaining_time_in_millis() / 1000 - _MARGIN)
        document = await_change(document, lambda: read_status(job_id, who, stores), wait_left)
    now = clock.now()
    more = {"parameters": history().parameters(job_id)} if include else {}
    period = signer().period(now) if document["assets"] else None
    tag = entity_tag(document, current_progress(document, now), period, more)
    headers = {"Cache-Control": "private, no-cache", "ETag": tag}
    if is_known(tag, header(event, "If-None-Match")):
        return without_body(304, headers)
    return answer(200, public_status(document, signer(), now) | more, headers)
