"""Reads of tracking items, one or many at a time."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.calls import call
from vsl.adapters.dynamodb.item_table import ItemTable
from vsl.adapters.dynamodb.values import deserialized, serialized
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.tracked_job import TrackedJob

_log = logging.getLogger(__name__)

REPLICATE_INDEX = "ReplicateIdIndex"

_BATCH_ROUNDS = 4  # items are small: what is left over was throttled


class TrackingReads(ItemTable):
    def get(self, job_id: str) -> TrackedJob | None:
        item = self._read(job_id)
        return None if item is None else tracking_item.known(item)

    def deleted(self, job_id: str) -> bool:
        item = self._read(job_id)
        return item is not None and tracking_item.known(item) is None

    def _read(self, job_id: str) -> dict[str, Any] | None:
        found = call(
            "get_item",
            TableName=self._table,
            Key=serialized(tracking_item.key(job_id)),
            ConsistentRead=True,
        )
        return deserialized(found["Item"]) if "Item" in found else None

    def get_many(self, job_ids: Sequence[str]) -> Mapping[str, TrackedJob]:
        keys = [serialized(tracking_item.key(job_id)) for job_id in job_ids]
        asked: Mapping[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        found: dict[str, TrackedJob] = {}
        if not keys:
            return found  # DynamoDB refuses to be asked for nothing
        for _ in range(_BATCH_ROUNDS):
            answer = call("batch_get_item", RequestItems=asked)
            items = answer["Responses"].get(self._table, ())
            found |= {job.job.job_id: job for item in items if (job := _readable(item)) is not None}
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                return found
        raise StoreUnavailable("DynamoDB did not answer in full.", service="DynamoDB")

    def find_job_id(self, replicate_id: str) -> str | None:
        found = call(
            "query",
            TableName=self._table,
            IndexName=REPLICATE_INDEX,
            KeyConditionExpression="replicateId = :id",
            ExpressionAttributeValues=serialized({":id": replicate_id}),
            Limit=1,
        )
        return found["Items"][0]["jobId"]["S"] if found["Items"] else None


def _readable(item: Mapping[str, Any]) -> TrackedJob | None:
    """Of many, one that cannot be read is not there; who asks for it alone hears why."""
    try:
        return tracking_item.known(deserialized(item))
    except Exception:  # noqa: BLE001 - whatever it is, it is this one item's
        job_id = item.get("jobId", {}).get("S")
        _log.exception("an item cannot be read", extra={"job_id": job_id})
        return None
