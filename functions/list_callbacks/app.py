"""ListCallbacks: what came of telling the client of its job's end."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import callback_log
from vsl.services.callbacks import list_callbacks


@api
def handler(event: Event, _context: Context) -> Response:
    found = list_callbacks(event["pathParameters"]["jobId"], caller(event), callback_log())
    return answer(200, found, {"Cache-Control": "no-store"})
