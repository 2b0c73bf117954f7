"""DeliverCallback: one attempt for a message of the queue, which keeps the time until the next one."""

import json

from vsl.domain.callback import THE_END, CallbackOutcome, delay_after
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import job_keys, logger
from vsl.runtime.wiring import announcements, messenger
from vsl.services.deliver_callback import CallbackMessage, deliver_callback


@step
def handler(event: Event, _context: Context) -> Event:
    failed = [record["messageId"] for record in event["Records"] if not _delivered(record)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _delivered(record: Event) -> bool:
    """False keeps the message; SQS moves it to the dead ones when it has been received too often."""
    body = json.loads(record["body"])
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    message = CallbackMessage(body["jobId"], body.get("deliveryId", THE_END), attempt)
    with job_keys(body):
        outcome: CallbackOutcome | None = CallbackOutcome.FAILED
        try:
            outcome = deliver_callback(message, messenger())
            logger.info("callback", extra={"outcome": outcome, "attempt": attempt})
        finally:  # a fault of ours waits like one of the client's
            kept = outcome in {CallbackOutcome.FAILED, CallbackOutcome.EXHAUSTED}
            if kept:
                announcements().postpone(record["receiptHandle"], delay_after(attempt) or 0)
    return not kept
