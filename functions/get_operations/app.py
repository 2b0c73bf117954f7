"""GetOperations: how the last hours went, over all users."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.api import get_operations

prepare("ssm")
at_init(get_operations)


@api
def handler(event: Event, _context: Context) -> Response:
    found = get_operations()(event.get("queryStringParameters") or {}, caller(event))
    return answer(200, found, {"Cache-Control": "no-store"})
