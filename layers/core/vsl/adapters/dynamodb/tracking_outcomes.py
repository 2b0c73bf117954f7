"""What is heard of a job's prediction, and the task token that waits for it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.item_table import ALIVE, EXISTS, ItemTable
from vsl.adapters.s3.large_outputs import LargeOutputs
from vsl.domain.jobs.job import (
    JobEvent,
    JobStatus,
    WebhookReceipt,
    iso,
)
from vsl.domain.jobs.tracked_job import Recorded, TrackedJob, required
from vsl.domain.predictions.prediction import Outcome

# Of an id (`:id`, as a name `#own`): neither abandoned nor an orphan, which is stopped.
_STILL_WANTED = (
    "(attribute_not_exists(abandonedIds) OR NOT contains(abandonedIds, :id))"
    " AND attribute_not_exists(orphans.#own)"
)

# Once its prediction is known, nothing is looked for.
_FOUND = "REMOVE intent, #search"


class TrackingOutcomes(ItemTable):
    """`outputs` keeps what does not fit an item; without it DynamoDB refuses such an outcome."""

    def __init__(self, table: str, outputs: LargeOutputs | None = None) -> None:
        super().__init__(table)
        self._outputs = outputs

    def record_prediction(
        self, job_id: str, attempt: int, replicate_id: str, at: datetime, source: str
    ) -> TrackedJob:
        item, _ = self._try(
            job_id,
            "SET replicateId = :id, #status = :processing, updatedAt = :updated,"
            f" events.submitted = :submitted {_FOUND}",
            f"{EXISTS} AND attribute_not_exists(replicateId) AND {_STILL_WANTED} AND {ALIVE}",
            names={"#own": replicate_id, "#search": "search"},
            values={
                ":id": replicate_id,
                ":processing": JobStatus.PROCESSING.value,
                ":updated": iso(at),
                ":submitted": _submitted(attempt, replicate_id, at, source),
            },
        )
        return required(item, job_id)

    def record_start(
        self, job_id: str, receipt: WebhookReceipt, attempt: int | None = None
    ) -> Recorded:
        return self._record(
            job_id,
            receipt.replicate_id,
            receipt.received_at,
            attempt,
            receipt,
            mine=lambda item: _noted(receipt) in map(_noted, item.webhooks),
        )

    def record_outcome(
        self,
        job_id: str,
        outcome: Outcome,
        at: datetime,
        receipt: WebhookReceipt | None = None,
        attempt: int | None = None,
    ) -> Recorded:
        if self._outputs is not None:
            outcome = self._outputs.keep(job_id, outcome)
        recorded = JobEvent("outcome_recorded", at, outcome.source, outcome.summary())
        sets = ["outcome = :outcome", "events.outcome_recorded = :recorded"]
        values = {
            ":outcome": tracking_item.to_dynamodb(outcome.document()),
            ":recorded": tracking_item.event_map(recorded),
        }
        if outcome.logs:
            sets.append("logs = :logs")
            values[":logs"] = outcome.logs
        return self._record(
            job_id,
            outcome.replicate_id,
            at,
            attempt,
            receipt,
            sets=sets,
            values=values,
            mine=lambda item: _told(recorded) in map(_told, item.events),
        )

    def _record(
        self,
        job_id: str,
        replicate_id: str,
        at: datetime,
        attempt: int | None,
        receipt: WebhookReceipt | None,
        *,
        mine: Callable[[TrackedJob], bool],
        sets: Sequence[str] = (),
        values: Mapping[str, Any] | None = None,
    ) -> Recorded:
        """What is heard of a prediction; the job takes it for its own if it has none."""
        sets = ["replicateId = :id", "#status = :processing", "updatedAt = :updated", *sets]
        names = {"#own": replicate_id, "#search": "search"}
        values = {
            ":id": replicate_id,
            ":processing": JobStatus.PROCESSING.value,
            ":updated": iso(at),
            **(values or {}),
        }
        if attempt is not None:
            sets.append("events.submitted = if_not_exists(events.submitted, :submitted)")
            values[":submitted"] = _submitted(attempt, replicate_id, at, "webhook")
        if receipt:
            sets.append("webhooks.#receipt = :receipt")
            names["#receipt"] = receipt.webhook_id
            values[":receipt"] = tracking_item.receipt_map(receipt)
        item, first = self._try(
            job_id,
            f"SET {', '.join(sets)} {_FOUND}",
            f"{EXISTS} AND attribute_not_exists(outcome)"
            " AND (attribute_not_exists(replicateId) OR replicateId = :id)"
            f" AND {_STILL_WANTED} AND {ALIVE}",
            names=names,
            values=values,
            mine=mine,
        )
        return Recorded(item, first)

    def store_token(self, job_id: str, task_token: str, at: datetime) -> TrackedJob:
        awaiting = tracking_item.event_map(JobEvent("awaiting", at))
        updated = self._update(
            job_id,
            "SET taskToken = :token, events.awaiting = if_not_exists(events.awaiting, :awaiting)"
            " REMOVE tokenCompleted",
            f"{EXISTS} AND (attribute_not_exists(taskToken) OR taskToken <> :token)",
            values={":token": task_token, ":awaiting": awaiting},
            mine=lambda item: item.task_token == task_token,
        )
        return required(updated, job_id)

    def record_token_completed(
        self, job_id: str, task_token: str, attempt: int, at: datetime
    ) -> None:
        self._update(
            job_id,
            "SET tokenCompleted = :true,"
            " events.token_completed = if_not_exists(events.token_completed, :event)"
            " REMOVE inFlightShard, nextCheckAt",
            "taskToken = :token AND attempt = :attempt AND attribute_not_exists(tokenCompleted)",
            values={
                ":attempt": attempt,
                ":true": True,
                ":token": task_token,
                ":event": tracking_item.event_map(JobEvent("token_completed", at)),
            },
        )


def _noted(receipt: WebhookReceipt) -> dict[str, Any]:
    """As the item keeps it."""
    return {"id": receipt.webhook_id, **tracking_item.receipt_map(receipt)}


def _told(event: JobEvent) -> tuple[str, str, str]:
    """What tells one mark from another, as precisely as the item keeps it."""
    return event.name, iso(event.at), event.source


def _submitted(attempt: int, replicate_id: str, at: datetime, source: str) -> dict[str, Any]:
    detail = {"attempt": attempt, "replicateId": replicate_id}
    return tracking_item.event_map(JobEvent("submitted", at, source, detail))
