"""RevokeKey: a key of the API, taken back by an operator."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, api, without_body
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.keys import revoke_key

prepare("dynamodb")
at_init(revoke_key)


@api
def handler(event: Event, _context: Context) -> Response:
    revoke_key()(event["pathParameters"]["keyId"], caller(event))
    return without_body(204)
