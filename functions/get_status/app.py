"""GetStatus: Redis, then DynamoDB, then PostgreSQL; addresses are signed on read."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import accounting, clock, lazily, live_jobs, signer, status_cache
from vsl.services.get_status import get_status


@api
def handler(event: Event, _context: Context) -> Response:
    status = get_status(
        event["pathParameters"]["jobId"],
        caller(event),
        cache=status_cache(),
        live=lazily(live_jobs),
        accounting=lazily(accounting),
        signer=signer(),
        clock=clock,
    )
    return answer(200, status, {"Cache-Control": "no-store"})
