"""CreateKey: a key of the API, minted by an operator."""

from vsl.runtime.body import json_body
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api, header
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.keys import create_key

prepare("dynamodb")
at_init(create_key)


@api
def handler(event: Event, _context: Context) -> Response:
    key = header(event, "Idempotency-Key")
    made = create_key()(key, json_body(event), caller(event))
    return answer(201, made, {"Cache-Control": "no-store"})
