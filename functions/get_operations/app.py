"""GetOperations: how the last hours went, over all users."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import clock, lazily, live_jobs, operations
from vsl.services.get_operations import get_operations


@api
def handler(event: Event, _context: Context) -> Response:
    found = get_operations(
        event.get("queryStringParameters") or {},
        caller(event),
        operations=lazily(operations),
        live=lazily(live_jobs),
        clock=clock,
    )
    return answer(200, found, {"Cache-Control": "no-store"})
