"""DeleteJob: media and personal data go, what the job cost stays."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, api, without_body
from vsl.runtime.wiring import accounting, clock, history, live_jobs, object_removal, status_cache
from vsl.services.delete_job import delete_job


@api
def handler(event: Event, _context: Context) -> Response:
    delete_job(
        event["pathParameters"]["jobId"],
        caller(event),
        accounting=accounting(),
        history=history(),
        live=live_jobs(),
        objects=object_removal(),
        cache=status_cache(),
        clock=clock,
    )
    return without_body(204)
