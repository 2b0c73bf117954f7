"""ListCallbacks: the attempts to call the client at its job's end."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import prepare
from vsl.runtime.use_cases.callbacks import list_callbacks

prepare("ssm")


@api
def handler(event: Event, _context: Context) -> Response:
    found = list_callbacks()(event["pathParameters"]["jobId"], caller(event))
    return answer(200, found, {"Cache-Control": "no-store"})
