"""GetWebhookSecret: what the caller's user verifies callbacks with."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.callbacks import get_webhook_secret

prepare("ssm")
at_init(get_webhook_secret)


@api
def handler(event: Event, _context: Context) -> Response:
    return answer(200, get_webhook_secret()(caller(event)), {"Cache-Control": "no-store"})
