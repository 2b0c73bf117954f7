"""GetWebhookSecret: what the caller's user verifies callbacks with."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import callback_secret
from vsl.services.callbacks import webhook_secret


@api
def handler(event: Event, _context: Context) -> Response:
    return answer(
        200, webhook_secret(caller(event), callback_secret()), {"Cache-Control": "no-store"}
    )
