"""A job's end, told to the queue of callbacks and to EventBridge; a budget that fills, to EventBridge."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vsl.adapters.aws import clients
from vsl.domain.callbacks.callback import THE_END
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.status import StatusDocument

SOURCE = "VSL"


_PERSONAL = {"prompt", "metadata", "logs"}


class AwsEventPublisher:
    """Implements `EventPublisher` and `CallbackQueue` of `services.ports.publishing`, and
    `AlertPublisher` of `services.ports.money`.

    `queue_url` is that of the callbacks.
    """

    def __init__(self, queue_url: str, event_bus: str) -> None:
        self._queue_url = queue_url
        self._event_bus = event_bus

    def ended(self, document: StatusDocument, *, callback: bool) -> None:
        if callback:
            self.enqueue(document["jobId"])
        self._publish(document)

    def enqueue(self, job_id: str, delivery_id: str = THE_END) -> None:
        """Ask for the client of an ended job to be called. The message has no personal data."""
        message = {"jobId": job_id}
        if delivery_id != THE_END:
            message["deliveryId"] = delivery_id
        with clients.translated("SQS"):
            clients.client("sqs").send_message(
                QueueUrl=self._queue_url, MessageBody=json.dumps(message)
            )

    def postpone(self, receipt: str, seconds: int) -> None:
        """Show a received message again only after so many seconds, at most twelve hours."""
        with clients.translated("SQS"):
            clients.client("sqs").change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def budget_reached(self, document: Mapping[str, Any]) -> None:
        self._put("Budget Reached", document, document["at"])

    def _publish(self, document: StatusDocument) -> None:
        """What the client wrote stays out, and the provider's log, which may quote it."""
        detail = {name: value for name, value in document.items() if name not in _PERSONAL}
        at = document["completedAt"] or document["updatedAt"]
        self._put(f"Job {document['status'].capitalize()}", detail, at)

    def _put(self, kind: str, detail: Mapping[str, Any], at: str) -> None:
        entry = {
            "Source": SOURCE,
            "DetailType": kind,
            "Detail": json.dumps(detail),
            "EventBusName": self._event_bus,
            "Time": datetime.fromisoformat(at),
        }
        with clients.translated("EventBridge"):
            answer = clients.client("events").put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "an unknown error")
            raise StoreUnavailable(f"EventBridge refused with {code}.", service="EventBridge")
