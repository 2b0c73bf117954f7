"""GetTimeline: where the job's time went, segment by segment."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import clock, history, lazily, live_jobs
from vsl.services.get_timeline import get_timeline


@api
def handler(event: Event, _context: Context) -> Response:
    found = get_timeline(
        event["pathParameters"]["jobId"],
        caller(event),
        live=live_jobs(),
        history=lazily(history),
        clock=clock,
    )
    return answer(200, found, {"Cache-Control": "no-store"})
