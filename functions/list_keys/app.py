"""ListKeys: the keys of the API without their secrets, for operators."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.keys import list_keys

prepare("dynamodb")
at_init(list_keys)


@api
def handler(event: Event, _context: Context) -> Response:
    query = event.get("queryStringParameters") or {}
    return answer(200, list_keys()(query, caller(event)), {"Cache-Control": "no-store"})
