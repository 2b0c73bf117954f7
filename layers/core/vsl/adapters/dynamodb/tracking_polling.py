"""The polling index: which jobs the poller checks, and when."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.dynamodb.item_table import EXISTS, ItemTable
from vsl.adapters.dynamodb.tracking_expressions import IN_FLIGHT, in_flight_values
from vsl.adapters.dynamodb.tracking_item import milliseconds
from vsl.adapters.dynamodb.values import deserialized, serialized
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Prediction
from vsl.domain.predictions.provider_logs import log_progress, log_tail

IN_FLIGHT_INDEX = "InFlightIndex"


class TrackingPolling(ItemTable):
    def schedule_check(self, job_id: str, at: datetime) -> None:
        self._update(
            job_id,
            "SET " + IN_FLIGHT,
            EXISTS,
            values=in_flight_values(job_id, at),
        )

    def stop_polling(self, item: TrackedJob) -> None:
        known = {orphan.replicate_id: tracking_item.orphan_map(orphan) for orphan in item.orphans}
        self._update(
            item.job.job_id,
            "REMOVE inFlightShard, nextCheckAt",
            "attribute_not_exists(orphans) OR orphans = :orphans",
            values={":orphans": known},
        )

    def reschedule(
        self, job_id: str, next_check_at: datetime, seen: Prediction | None = None
    ) -> None:
        expression = "SET nextCheckAt = :next"
        values: dict[str, Any] = {":next": milliseconds(next_check_at), ":one": 1}
        tail = log_tail(seen.logs) if seen else ""
        if tail:
            expression += ", logs = :logs"
            values[":logs"] = tail
        told = log_progress(seen.logs) if seen else None
        if told is not None:
            expression += ", progress = :progress"
            values[":progress"] = Decimal(str(told))
        self._update(
            job_id,
            expression + " ADD checkCount :one",
            "attribute_exists(inFlightShard) AND nextCheckAt <> :next",  # counted once
            values=values,
        )

    def postpone(self, job_id: str, next_check_at: datetime) -> None:
        try:
            call(
                "update_item",
                TableName=self._table,
                Key=serialized(tracking_item.key(job_id)),
                UpdateExpression="SET nextCheckAt = :next",
                ConditionExpression="attribute_exists(inFlightShard)",
                ExpressionAttributeValues=serialized({":next": milliseconds(next_check_at)}),
                ReturnValues="NONE",
                ReturnValuesOnConditionCheckFailure="NONE",
            )
        except ClientError as error:
            item_from_failed_condition(error)

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        found: list[tuple[int, str]] = []
        for number in range(tracking_item.SHARDS):
            page = call(
                "query",
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
