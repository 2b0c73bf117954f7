"""ListJobs: PostgreSQL's page of jobs, with DynamoDB's word on those that still run."""

from vsl.domain.job_list import ListRequest
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import clock, history, lazily, live_jobs, signer
from vsl.services.list_jobs import list_jobs


@api
def handler(event: Event, _context: Context) -> Response:
    query = event.get("queryStringParameters") or {}
    jobs = list_jobs(
        ListRequest.parse(query, caller(event).user_id),
        history=history(),
        live=lazily(live_jobs),
        signer=signer(),
        clock=clock,
    )
    return answer(200, jobs, {"Cache-Control": "no-store"})
