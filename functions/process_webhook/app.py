"""ProcessWebhook: one signed webhook of the provider; the provider retries on anything but 2xx."""

import base64
from decimal import Decimal

from vsl.domain.job import Job
from vsl.domain.prediction import Outcome
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.observability import metrics
from vsl.runtime.wiring import (
    accounting,
    callbacks,
    catalogue,
    clock,
    lazily,
    live_jobs,
    provider,
    webhook_memory,
    webhook_secrets,
)
from vsl.services.cost import cost_of
from vsl.services.process_webhook import Delivery, Intake, process_webhook


def _cost(job: Job, outcome: Outcome) -> Decimal | None:
    return cost_of(job, outcome, catalogue(), accounting())


@api
def handler(event: Event, _context: Context) -> Response:
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    result = process_webhook(
        Delivery(event.get("headers") or {}, raw, event.get("queryStringParameters") or {}),
        webhook_secrets(),
        Intake(
            live=live_jobs(),
            callbacks=callbacks(),
            provider=lazily(provider),
            memory=webhook_memory(),
            accounting=lazily(accounting),
            cost=_cost,
            clock=clock,
            metrics=metrics,
        ),
    )
    return answer(200, {"result": result})
