"""The live items in DynamoDB. Every write is one conditional UpdateItem, so none needs a lock.

A write whose condition does not hold answers with the item as it stands: no second look is needed.
Implements `services.ports.LiveJobs`; the attributes are those of `live_item`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from vsl.adapters import json_client, live_item
from vsl.adapters.attributes import deserialized, serialized
from vsl.adapters.item_table import (
    ALIVE,
    FAILED_CONDITION,
    TERMINAL_VALUES,
    ItemTable,
    required,
    standing,
)
from vsl.adapters.json_client import Refused
from vsl.adapters.live_item import live_job, milliseconds, shard
from vsl.domain.errors import JobNotEnded, JobNotFound, StoreUnavailable
from vsl.domain.job import (
    FinishedJob,
    Job,
    JobEvent,
    JobStatus,
    Waste,
    WebhookReceipt,
    iso,
)
from vsl.domain.live_job import LiveJob, Recorded
from vsl.domain.prediction import Outcome, Prediction
from vsl.domain.provider_logs import log_progress, log_tail
from vsl.domain.status import StatusDocument

REPLICATE_INDEX = "ReplicateIdIndex"
IN_FLIGHT_INDEX = "InFlightIndex"
_BATCH_ROUNDS = 4  # items are small: what is left over was throttled

_NOT_PAST = "(attribute_not_exists(past) OR NOT contains(past, :id))"
# Into the in-flight index, unless the item is in it.
_IN_FLIGHT = (
    "inFlightShard = if_not_exists(inFlightShard, :shard),"
    " nextCheckAt = if_not_exists(nextCheckAt, :next)"
)


class DynamoLiveJobs(ItemTable):
    def create(
        self,
        job: Job,
        deadline: datetime,
        execution_arn: str | None,
        marks: Sequence[JobEvent] = (),
    ) -> LiveJob:
        now = iso(job.created_at)
        events = (JobEvent("created", job.created_at), *marks)
        item = (
            live_item.key(job.job_id)
            | live_item.identity(job)
            | {
                "status": JobStatus.PENDING.value,
                "deadlineAt": milliseconds(deadline),
                "updatedAt": now,
                "attempt": 0,
                "checkCount": 0,
                "events": {event.name: live_item.event_map(event) for event in events},
                "webhooks": {},
                "waste": {},
                # Until an attempt is made, the poller has nothing to ask: it looks at the deadline.
                "inFlightShard": shard(job.job_id),
                "nextCheckAt": milliseconds(deadline),
            }
        )
        if execution_arn:
            item["executionArn"] = execution_arn
        try:
            json_client.client("dynamodb").put_item(
                TableName=self._table,
                Item=serialized(item),
                ConditionExpression="attribute_not_exists(jobId)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except Refused as refused:
            return required(standing(refused), job.job_id)
        return live_job(item)

    def get(self, job_id: str) -> LiveJob | None:
        found = json_client.client("dynamodb").get_item(
            TableName=self._table, Key=serialized(live_item.key(job_id)), ConsistentRead=True
        )
        return live_job(deserialized(found["Item"])) if "Item" in found else None

    def get_many(self, job_ids: Sequence[str]) -> Mapping[str, LiveJob]:
        keys = [serialized(live_item.key(job_id)) for job_id in job_ids]
        asked: Mapping[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        found: dict[str, LiveJob] = {}
        for _ in range(_BATCH_ROUNDS):
            answer = json_client.client("dynamodb").batch_get_item(RequestItems=asked)
            items = answer["Responses"].get(self._table, ())
            found |= {item["jobId"]["S"]: live_job(deserialized(item)) for item in items}
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                return found
        raise StoreUnavailable("DynamoDB did not answer in full.", service="DynamoDB")

    def find_job_id(self, replicate_id: str) -> str | None:
        found = json_client.client("dynamodb").query(
            TableName=self._table,
            IndexName=REPLICATE_INDEX,
            KeyConditionExpression="replicateId = :id",
            ExpressionAttributeValues=serialized({":id": replicate_id}),
            Limit=1,
        )
        return found["Items"][0]["jobId"]["S"] if found["Items"] else None

    def write_intent(
        self, job_id: str, attempt: int, at: datetime, next_check_at: datetime
    ) -> LiveJob | None:
        intent = live_item.event_map(JobEvent("intent", at, detail={"attempt": attempt}))
        return self._update(
            job_id,
            "SET attempt = :attempt, intentAt = :at, inFlightShard = :shard,"
            " nextCheckAt = :next, updatedAt = :updated, events.#intent = :intent",
            "attempt = :previous AND attribute_not_exists(replicateId)"
            f" AND attribute_not_exists(cancelRequestedAt) AND {ALIVE}",
            names={"#intent": f"intent_{attempt}"},
            values={
                ":attempt": attempt,
                ":previous": attempt - 1,
                ":at": milliseconds(at),
                ":shard": shard(job_id),
                ":next": milliseconds(next_check_at),
                ":updated": iso(at),
                ":intent": intent,
            },
        )

    def withdraw_intent(self, job_id: str, attempt: int) -> bool:
        updated = self._update(
            job_id,
            "REMOVE intentAt",
            "attempt = :attempt AND attribute_exists(intentAt)"
            f" AND attribute_not_exists(replicateId) AND {ALIVE}",
            values={":attempt": attempt},
        )
        return updated is not None

    def give_up_prediction(self, job_id: str, replicate_id: str, at: datetime) -> LiveJob | None:
        given_up = JobEvent("given_up", at, detail={"replicateId": replicate_id})
        return self._update(
            job_id,
            "SET events.#given_up = :given_up, updatedAt = :at ADD past :ids"
            " REMOVE replicateId, intentAt, outcome, logs, progress, events.submitted,"
            " events.outcome_recorded",
            f"replicateId = :id AND attribute_exists(outcome) AND {ALIVE}",
            names={"#given_up": f"given_up_{replicate_id}"},
            values={
                ":id": replicate_id,
                ":ids": {replicate_id},
                ":at": iso(at),
                ":given_up": live_item.event_map(given_up),
            },
        )

    def request_cancel(self, job_id: str, at: datetime) -> LiveJob | None:
        requested = JobEvent("cancel_requested", at, "user")
        return self._update(
            job_id,
            "SET cancelRequestedAt = if_not_exists(cancelRequestedAt, :at), updatedAt = :updated,"
            " events.cancel_requested = if_not_exists(events.cancel_requested, :requested)",
            f"attribute_exists(jobId) AND {ALIVE}",
            values={
                ":at": milliseconds(at),
                ":updated": iso(at),
                ":requested": live_item.event_map(requested),
            },
        )

    def add_waste(self, job_id: str, waste: Waste) -> None:
        self._update(
            job_id,
            "SET waste.#id = if_not_exists(waste.#id, :waste), " + _IN_FLIGHT,
            "attribute_exists(waste)",
            names={"#id": waste.replicate_id},
            values={":waste": live_item.waste_map(waste)} | _in_flight(job_id, waste.found_at),
        )

    def end_waste(self, job_id: str, waste: Waste) -> None:
        self._update(
            job_id,
            "SET waste.#id = :waste",
            "attribute_exists(waste)",
            names={"#id": waste.replicate_id},
            values={":waste": live_item.waste_map(replace(waste, ended=True))},
        )

    def follow(self, job_id: str, at: datetime) -> None:
        self._update(
            job_id,
            "SET " + _IN_FLIGHT,
            "attribute_exists(jobId)",
            values=_in_flight(job_id, at),
        )

    def unfollow(self, item: LiveJob) -> None:
        known = {waste.replicate_id: live_item.waste_map(waste) for waste in item.waste}
        self._update(
            item.job.job_id,
            "REMOVE inFlightShard, nextCheckAt",
            "waste = :waste",
            values={":waste": known},
        )

    def record_prediction(
        self, job_id: str, attempt: int, replicate_id: str, at: datetime, source: str
    ) -> LiveJob:
        item, _ = self._try(
            job_id,
            "SET replicateId = :id, #status = :processing, updatedAt = :updated,"
            " events.submitted = :submitted",
            f"attribute_exists(jobId) AND attribute_not_exists(replicateId) AND {_NOT_PAST}"
            f" AND {ALIVE}",
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
        return self._record(job_id, receipt.replicate_id, receipt.received_at, attempt, receipt)

    def record_outcome(
        self,
        job_id: str,
        outcome: Outcome,
        at: datetime,
        receipt: WebhookReceipt | None = None,
        attempt: int | None = None,
    ) -> Recorded:
        recorded = JobEvent("outcome_recorded", at, outcome.source, outcome.summary())
        sets = ["outcome = :outcome", "events.outcome_recorded = :recorded"]
        values = {
            ":outcome": live_item.plain(outcome.document()),
            ":recorded": live_item.event_map(recorded),
        }
        if outcome.logs:
            sets.append("logs = :logs")
            values[":logs"] = outcome.logs
        return self._record(
            job_id, outcome.replicate_id, at, attempt, receipt, sets=sets, values=values
        )

    def _record(
        self,
        job_id: str,
        replicate_id: str,
        at: datetime,
        attempt: int | None,
        receipt: WebhookReceipt | None,
        *,
        sets: Sequence[str] = (),
        values: Mapping[str, Any] | None = None,
    ) -> Recorded:
        """What is heard of a prediction; the job takes it for its own if it has none."""
        sets = ["replicateId = :id", "#status = :processing", "updatedAt = :updated", *sets]
        names: dict[str, str] = {}
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
            values[":receipt"] = live_item.receipt_map(receipt)
        item, first = self._try(
            job_id,
            "SET " + ", ".join(sets),
            "attribute_exists(jobId) AND attribute_not_exists(outcome)"
            " AND (attribute_not_exists(replicateId) OR replicateId = :id)"
            f" AND {_NOT_PAST} AND {ALIVE}",
            names=names,
            values=values,
        )
        return Recorded(item, first)

    def store_token(self, job_id: str, task_token: str, at: datetime) -> LiveJob:
        awaiting = live_item.event_map(JobEvent("awaiting", at))
        updated = self._update(
            job_id,
            "SET taskToken = :token, events.awaiting = if_not_exists(events.awaiting, :awaiting)"
            " REMOVE released",
            "attribute_exists(jobId)",
            values={":token": task_token, ":awaiting": awaiting},
        )
        if updated is None:
            raise JobNotFound("The job has no live item.", jobId=job_id)
        return updated

    def mark_released(self, job_id: str, task_token: str, attempt: int, at: datetime) -> None:
        self._update(
            job_id,
            "SET released = :true, events.released = if_not_exists(events.released, :released)"
            " REMOVE inFlightShard, nextCheckAt",
            "taskToken = :token AND attempt = :attempt",
            values={
                ":attempt": attempt,
                ":true": True,
                ":token": task_token,
                ":released": live_item.event_map(JobEvent("released", at)),
            },
        )

    def mark(self, job_id: str, event: JobEvent, status: JobStatus | None = None) -> None:
        expression = "SET events.#event = if_not_exists(events.#event, :event), updatedAt = :at"
        values: dict[str, Any] = {":event": live_item.event_map(event), ":at": iso(event.at)}
        if status:
            expression += ", #status = :status"
            values[":status"] = status.value
        self._update(
            job_id,
            expression,
            f"attribute_exists(jobId) AND {ALIVE}",
            names={"#event": event.name},
            values=values,
        )

    def reschedule(
        self, job_id: str, next_check_at: datetime, seen: Prediction | None = None
    ) -> None:
        expression = "SET nextCheckAt = :next"
        values: dict[str, Any] = {":next": milliseconds(next_check_at), ":one": 1}
        if seen and seen.logs:
            expression += ", logs = :logs"
            values[":logs"] = log_tail(seen.logs)
        told = log_progress(seen.logs) if seen else None
        if told is not None:
            expression += ", progress = :progress"
            values[":progress"] = Decimal(str(told))
        self._update(
            job_id,
            expression + " ADD checkCount :one",
            "attribute_exists(inFlightShard)",
            values=values,
        )

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        found: list[tuple[int, str]] = []
        for number in range(live_item.SHARDS):
            page = json_client.client("dynamodb").query(
                TableName=self._table,
                IndexName=IN_FLIGHT_INDEX,
                KeyConditionExpression="inFlightShard = :shard AND nextCheckAt <= :now",
                ExpressionAttributeValues=serialized(
                    {":shard": str(number), ":now": milliseconds(now)}
                ),
                Limit=limit,
            )
            entries = map(deserialized, page["Items"])
            found += [(int(entry["nextCheckAt"]), entry["jobId"]) for entry in entries]
        return [job_id for _, job_id in sorted(found)[:limit]]

    def delete(self, job_id: str) -> None:
        try:
            json_client.client("dynamodb").delete_item(
                TableName=self._table,
                Key=serialized(live_item.key(job_id)),
                ConditionExpression="attribute_not_exists(jobId)"
                " OR #status IN (:succeeded, :failed, :canceled)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=serialized(TERMINAL_VALUES),
            )
        except Refused as refused:
            if refused.code == FAILED_CONDITION:
                raise JobNotEnded("The job has not ended.", jobId=job_id) from None
            raise

    def finish(self, finished: FinishedJob, document: StatusDocument) -> LiveJob | None:
        """A job that failed before it had an item gets one here, so that its status can be read."""
        job, ended = finished.job, document["completedAt"] or iso(finished.completed_at)
        logs = document["logs"]
        defaults = live_item.identity(job) | {
            "deadlineAt": milliseconds(finished.completed_at),
            "attempt": finished.attempt,
            "events": {},
            "webhooks": {},
            "waste": {},
        }
        assignments = [f"#d{n} = if_not_exists(#d{n}, :d{n})" for n in range(len(defaults))]
        names = {f"#d{n}": name for n, name in enumerate(defaults)}
        values = {f":d{n}": value for n, value in enumerate(defaults.values())}
        return self._update(
            job.job_id,
            "SET #status = :status, #result = :result, completedAt = :ended, updatedAt = :ended, "
            + ", ".join(assignments)
            + (", logs = :logs" if logs else "")
            + " REMOVE inFlightShard, nextCheckAt, taskToken"
            + ("" if logs else ", logs"),
            f"attribute_not_exists(jobId) OR #status = :status OR ({ALIVE})",
            names=names | {"#result": "result"},
            values=values
            | {
                ":status": finished.status.value,
                ":result": live_item.result_text(document),
                ":ended": ended,
            }
            | ({":logs": logs} if logs else {}),
        )

    def mark_announced(self, job_id: str) -> None:
        self._update(
            job_id, "SET announced = :true", "attribute_exists(jobId)", values={":true": True}
        )


def _in_flight(job_id: str, next_check_at: datetime) -> dict[str, Any]:
    return {":shard": shard(job_id), ":next": milliseconds(next_check_at)}


def _submitted(attempt: int, replicate_id: str, at: datetime, source: str) -> dict[str, Any]:
    detail = {"attempt": attempt, "replicateId": replicate_id}
    return live_item.event_map(JobEvent("submitted", at, source, detail))
