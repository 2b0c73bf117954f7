"""ProcessWebhook: one signed webhook of the provider; the provider retries on anything but 2xx."""

import base64

from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.waiting import process_webhook
from vsl.services.waiting.verify_webhook import Delivery

prepare("dynamodb", "ssm", "stepfunctions")
at_init(process_webhook)


@api
def handler(event: Event, _context: Context) -> Response:
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    query = event.get("queryStringParameters") or {}
    result = process_webhook()(Delivery(event.get("headers") or {}, raw, query))
    return answer(200, {"result": result})
