"""The live items in DynamoDB. Every write is one conditional UpdateItem, so none needs a lock.

Implements `services.ports.LiveJobs`; the attributes are those of `live_item`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from vsl.adapters import live_item
from vsl.adapters.aws import client, error_code, translated
from vsl.adapters.live_item import live_job, milliseconds, shard
from vsl.domain.errors import JobNotEnded, JobNotFound, StoreUnavailable
from vsl.domain.job import (
    TERMINAL,
    FinishedJob,
    Job,
    JobEvent,
    JobStatus,
    Waste,
    WebhookReceipt,
    iso,
)
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome, Prediction
from vsl.domain.provider_logs import log_progress, log_tail
from vsl.domain.status import StatusDocument

REPLICATE_INDEX = "ReplicateIdIndex"
IN_FLIGHT_INDEX = "InFlightIndex"
_BATCH_ROUNDS = 4  # items are small: what is left over was throttled

_NOT_PAST = "(attribute_not_exists(past) OR NOT contains(past, :id))"
_ALIVE = "NOT #status IN (:succeeded, :failed, :canceled)"
# Into the in-flight index, unless the item is in it.
_IN_FLIGHT = (
    "inFlightShard = if_not_exists(inFlightShard, :shard),"
    " nextCheckAt = if_not_exists(nextCheckAt, :next)"
)
_TERMINAL_VALUES = {f":{status}": status.value for status in TERMINAL}


class DynamoLiveJobs:
    def __init__(self, table: str) -> None:
        self._table = table

    def create(self, job: Job, deadline: datetime, execution_arn: str | None) -> LiveJob:
        now = iso(job.created_at)
        created = live_item.event_map(JobEvent("created", job.created_at))
        item = (
            live_item.key(job.job_id)
            | live_item.identity(job)
            | {
                "status": JobStatus.PENDING.value,
                "deadlineAt": milliseconds(deadline),
                "updatedAt": now,
                "attempt": 0,
                "checkCount": 0,
                "events": {"created": created},
                "webhooks": {},
                "waste": {},
                # Until an attempt is made, the poller has nothing to ask: it looks at the deadline.
                "inFlightShard": shard(job.job_id),
                "nextCheckAt": milliseconds(deadline),
            }
        )
        if execution_arn:
            item["executionArn"] = execution_arn
        from botocore.exceptions import ClientError

        with translated("DynamoDB"):
            try:
                client("dynamodb").put_item(
                    TableName=self._table,
                    Item=_serialize(item),
                    ConditionExpression="attribute_not_exists(jobId)",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return self._require(job.job_id)
        return live_job(item)

    def get(self, job_id: str) -> LiveJob | None:
        with translated("DynamoDB"):
            found = client("dynamodb").get_item(
                TableName=self._table, Key=_serialize(live_item.key(job_id)), ConsistentRead=True
            )
        return live_job(_deserialize(found["Item"])) if "Item" in found else None

    def get_many(self, job_ids: Sequence[str]) -> Mapping[str, LiveJob]:
        keys = [_serialize(live_item.key(job_id)) for job_id in job_ids]
        asked: Mapping[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        found: dict[str, LiveJob] = {}
        with translated("DynamoDB"):
            for _ in range(_BATCH_ROUNDS):
                answer = client("dynamodb").batch_get_item(RequestItems=asked)
                items = answer["Responses"].get(self._table, ())
                found |= {item["jobId"]["S"]: live_job(_deserialize(item)) for item in items}
                asked = answer.get("UnprocessedKeys") or {}
                if not asked:
                    return found
        raise StoreUnavailable("DynamoDB did not answer in full.", service="DynamoDB")

    def find_by_replicate_id(self, replicate_id: str) -> LiveJob | None:
        with translated("DynamoDB"):
            found = client("dynamodb").query(
                TableName=self._table,
                IndexName=REPLICATE_INDEX,
                KeyConditionExpression="replicateId = :id",
                ExpressionAttributeValues=_serialize({":id": replicate_id}),
                Limit=1,
            )
        # The index trails the table by a moment; the table itself is asked for the truth.
        return self.get(_deserialize(found["Items"][0])["jobId"]) if found["Items"] else None

    def write_intent(
        self, job_id: str, attempt: int, at: datetime, next_check_at: datetime
    ) -> LiveJob | None:
        intent = live_item.event_map(JobEvent("intent", at, detail={"attempt": attempt}))
        return self._update(
            job_id,
            "SET attempt = :attempt, intentAt = :at, inFlightShard = :shard,"
            " nextCheckAt = :next, updatedAt = :updated, events.#intent = :intent",
            "attempt = :previous AND attribute_not_exists(replicateId)"
            f" AND attribute_not_exists(cancelRequestedAt) AND {_ALIVE}",
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
            f" AND attribute_not_exists(replicateId) AND {_ALIVE}",
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
            f"replicateId = :id AND attribute_exists(outcome) AND {_ALIVE}",
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
            f"attribute_exists(jobId) AND {_ALIVE}",
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
        detail = {"attempt": attempt, "replicateId": replicate_id}
        updated = self._update(
            job_id,
            "SET replicateId = :id, #status = :processing, updatedAt = :updated,"
            " events.submitted = :submitted",
            f"attribute_exists(jobId) AND attribute_not_exists(replicateId) AND {_NOT_PAST}"
            f" AND {_ALIVE}",
            values={
                ":id": replicate_id,
                ":processing": JobStatus.PROCESSING.value,
                ":updated": iso(at),
                ":submitted": live_item.event_map(JobEvent("submitted", at, source, detail)),
            },
        )
        return updated or self._require(job_id)

    def record_outcome(
        self, job_id: str, outcome: Outcome, at: datetime, receipt: WebhookReceipt | None = None
    ) -> LiveJob | None:
        recorded = JobEvent("outcome_recorded", at, outcome.source, outcome.summary())
        expression = (
            "SET outcome = :outcome, replicateId = :id, #status = :processing,"
            " updatedAt = :updated, events.outcome_recorded = :recorded"
        )
        names: dict[str, str] = {}
        values: dict[str, Any] = {
            ":outcome": live_item.plain(outcome.document()),
            ":id": outcome.replicate_id,
            ":processing": JobStatus.PROCESSING.value,
            ":updated": iso(at),
            ":recorded": live_item.event_map(recorded),
        }
        if outcome.logs:
            expression += ", logs = :logs"
            values[":logs"] = outcome.logs
        if receipt:
            expression += ", webhooks.#receipt = :receipt"
            names["#receipt"] = receipt.webhook_id
            values[":receipt"] = live_item.receipt_map(receipt)
        return self._update(
            job_id,
            expression,
            "attribute_exists(jobId) AND attribute_not_exists(outcome)"
            " AND (attribute_not_exists(replicateId) OR replicateId = :id)"
            f" AND {_NOT_PAST} AND {_ALIVE}",
            names=names,
            values=values,
        )

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
            f"attribute_exists(jobId) AND {_ALIVE}",
            names={"#event": event.name},
            values=values,
        )

    def add_receipt(self, job_id: str, receipt: WebhookReceipt) -> None:
        self._update(
            job_id,
            "SET webhooks.#receipt = :receipt",
            "attribute_exists(webhooks)",
            names={"#receipt": receipt.webhook_id},
            values={":receipt": live_item.receipt_map(receipt)},
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
        with translated("DynamoDB"):
            for number in range(live_item.SHARDS):
                page = client("dynamodb").query(
                    TableName=self._table,
                    IndexName=IN_FLIGHT_INDEX,
                    KeyConditionExpression="inFlightShard = :shard AND nextCheckAt <= :now",
                    ExpressionAttributeValues=_serialize(
                        {":shard": str(number), ":now": milliseconds(now)}
                    ),
                    Limit=limit,
                )
                entries = map(_deserialize, page["Items"])
                found += [(int(entry["nextCheckAt"]), entry["jobId"]) for entry in entries]
        return [job_id for _, job_id in sorted(found)[:limit]]

    def delete(self, job_id: str) -> None:
        from botocore.exceptions import ClientError

        with translated("DynamoDB"):
            try:
                client("dynamodb").delete_item(
                    TableName=self._table,
                    Key=_serialize(live_item.key(job_id)),
                    ConditionExpression="attribute_not_exists(jobId)"
                    " OR #status IN (:succeeded, :failed, :canceled)",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues=_serialize(_TERMINAL_VALUES),
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
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
            f"attribute_not_exists(jobId) OR #status = :status OR ({_ALIVE})",
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

    def _require(self, job_id: str) -> LiveJob:
        found = self.get(job_id)
        if found is None:
            raise JobNotFound("The job has no live item.", jobId=job_id)
        return found

    def _update(
        self,
        job_id: str,
        update: str,
        condition: str,
        *,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> LiveJob | None:
        """The item after the update; None when the condition did not hold."""
        from botocore.exceptions import ClientError

        all_names = dict(names or {})
        all_values = dict(values)
        if "#status" in update or "#status" in condition:
            all_names["#status"] = "status"
        if _ALIVE in condition:
            all_values |= _TERMINAL_VALUES
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": _serialize(live_item.key(job_id)),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": _serialize(all_values),
            "ReturnValues": "ALL_NEW",
        }
        if all_names:
            arguments["ExpressionAttributeNames"] = all_names
        with translated("DynamoDB"):
            try:
                answer = client("dynamodb").update_item(**arguments)
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return None
                raise
        return live_job(_deserialize(answer["Attributes"]))


def _in_flight(job_id: str, next_check_at: datetime) -> dict[str, Any]:
    return {":shard": shard(job_id), ":next": milliseconds(next_check_at)}


def _serialize(values: Mapping[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeSerializer

    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in values.items()}


def _deserialize(item: Mapping[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
