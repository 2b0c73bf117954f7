"""DeliverCallback: one attempt for a message of the queue, which keeps the time until the next one."""

import json

from vsl.domain.callbacks.callback import THE_END, CallbackOutcome, delay_after
from vsl.domain.errors import VslError
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.initialization import prepare
from vsl.runtime.observability import job_keys, logger, metrics
from vsl.runtime.use_cases.callbacks import deliver_callback
from vsl.runtime.wiring import event_publisher
from vsl.services.callbacks.deliver_callback import CallbackMessage

prepare("s3", "ssm")


@step
def handler(event: Event, _context: Context) -> Event:
    failed = [record["messageId"] for record in event["Records"] if not _taken(record)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _taken(record: Event) -> bool:
    """False keeps the message; SQS moves it to the dead letters when it was received too often.

    A message that fails stops no other.
    """
    try:
        return _delivered(record)
    except VslError as error:
        logger.warning("callback failed", error_code=error.code, reason=error.message)
    except Exception:  # noqa: BLE001 - any fault is that of this message alone
        logger.exception("callback failed unexpectedly")
        metrics.count("ItemFailed")
    return False


def _delivered(record: Event) -> bool:
    body = json.loads(record["body"])
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    message = CallbackMessage(body["jobId"], body.get("deliveryId", THE_END), attempt)
    with job_keys(body):
        outcome: CallbackOutcome | None = CallbackOutcome.FAILED
        try:
            outcome = deliver_callback()(message)
            logger.info("callback", extra={"outcome": outcome, "attempt": attempt})
        finally:  # a fault of ours waits like one of the client's
            kept = outcome in {CallbackOutcome.FAILED, CallbackOutcome.EXHAUSTED}
            if kept:
                event_publisher().postpone(record["receiptHandle"], delay_after(attempt) or 0)
    return not kept
