"""A job that waits for a slot at the provider."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.calls import call
from vsl.adapters.dynamodb.item_table import ALIVE, EXISTS
from vsl.adapters.dynamodb.tracking_item import milliseconds, shard
from vsl.adapters.dynamodb.tracking_polling import IN_FLIGHT_INDEX
from vsl.adapters.dynamodb.tracking_reads import TrackingReads
from vsl.adapters.dynamodb.values import serialized
from vsl.domain.jobs.job import JobEvent
from vsl.domain.jobs.tracked_job import TrackedJob, required

READ_AT_ONCE = 100  # items of one BatchGetItem
PAGE = 1000


class TrackingQueue(TrackingReads):
    def join_queue(
        self, job_id: str, task_token: str, at: datetime, deadline: datetime
    ) -> TrackedJob:
        queued = tracking_item.event_map(JobEvent("queued", at))
        item, _ = self._try(
            job_id,
            "SET taskToken = :token, queuedAt = if_not_exists(queuedAt, :at),"
            " ownDeadlineAt = if_not_exists(ownDeadlineAt, deadlineAt),"
            " deadlineAt = if_not_exists(waitEndsAt, :deadline),"
            " waitEndsAt = if_not_exists(waitEndsAt, :deadline),"
            " inFlightShard = :shard, nextCheckAt = :deadline, events.queued = :queued"
            " REMOVE tokenCompleted",
            f"{EXISTS} AND attribute_not_exists(replicateId) AND attribute_not_exists(intentAt)"
            f" AND {ALIVE} AND (attribute_not_exists(taskToken) OR taskToken <> :token)",
            values={
                ":token": task_token,
                ":at": milliseconds(at),
                ":deadline": milliseconds(deadline),
                ":shard": shard(job_id),
                ":queued": queued,
            },
        )
        return required(item, job_id)

    def queued(self) -> Sequence[TrackedJob]:
        found: list[TrackedJob] = []
        for job_ids in batched(self._in_flight(), READ_AT_ONCE):
            items = self.get_many(job_ids).values()
            found += [item for item in items if item.queued_at and not item.status.terminal]
        return found

    def _in_flight(self) -> Iterator[str]:
        for number in range(tracking_item.SHARDS):
            start: dict[str, Any] = {}
            while True:
                page = call(
                    "query",
                    TableName=self._table,
                    IndexName=IN_FLIGHT_INDEX,
                    KeyConditionExpression="inFlightShard = :shard",
                    ExpressionAttributeValues=serialized({":shard": str(number)}),
                    Limit=PAGE,
                    **start,
                )
                yield from (entry["jobId"]["S"] for entry in page["Items"])
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def leave_queue(
        self, job_id: str, task_token: str, at: datetime, deadline: datetime, check_at: datetime
    ) -> TrackedJob | None:
        dequeued = tracking_item.event_map(JobEvent("dequeued", at))
        return self._update(
            job_id,
            "SET deadlineAt = :deadline, nextCheckAt = :next, events.dequeued = :dequeued"
            " REMOVE queuedAt, ownDeadlineAt",
            f"taskToken = :token AND attribute_exists(queuedAt) AND {ALIVE}",
            values={
                ":token": task_token,
                ":deadline": milliseconds(deadline),
                ":next": milliseconds(check_at),
                ":dequeued": dequeued,
            },
            mine=lambda item: item.task_token == task_token and item.queued_at is None,
        )
