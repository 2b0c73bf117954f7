"""One table of tracking items: conditional writes that answer with the item, held or not.

A call whose answer is lost is sent again by the client below, and then it may be its own write that
refuses it. So a refusal is a success if the item carries this very write (`mine`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.dynamodb.values import deserialized, serialized
from vsl.domain.jobs.job import TERMINAL
from vsl.domain.jobs.tracked_job import TrackedJob

# What stays of a deleted job for a while (`tracking_item.tombstone`) has no user: nothing is written to it.
EXISTS = "attribute_exists(userId)"
ALIVE = "NOT #status IN (:succeeded, :failed, :canceled)"
TERMINAL_VALUES = {f":{status}": status.value for status in TERMINAL}


def _never(_item: TrackedJob) -> bool:
    return False


class ItemTable:
    def __init__(self, table: str) -> None:
        self._table = table

    def _update(
        self,
        job_id: str,
        update: str,
        condition: str,
        *,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        mine: Callable[[TrackedJob], bool] = _never,
    ) -> TrackedJob | None:
        """The item after the update; None when the condition did not hold."""
        item, held = self._try(job_id, update, condition, values=values, names=names, mine=mine)
        return item if held else None

    def _try(
        self,
        job_id: str,
        update: str,
        condition: str,
        *,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        mine: Callable[[TrackedJob], bool] = _never,
    ) -> tuple[TrackedJob | None, bool]:
        """The item after the update, and True; else the item whose condition did not hold."""
        all_names = dict(names or {})
        all_values = dict(values)
        if "#status" in update or "#status" in condition:
            all_names["#status"] = "status"
        if ALIVE in condition:
            all_values |= TERMINAL_VALUES
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": serialized(tracking_item.key(job_id)),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": serialized(all_values),
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if all_names:
            arguments["ExpressionAttributeNames"] = all_names
        try:
            answer = call("update_item", **arguments)
        except ClientError as error:
            item = job_from_failed_condition(error)
            return item, item is not None and mine(item)
        return tracking_item.known(deserialized(answer["Attributes"])), True


def job_from_failed_condition(error: ClientError) -> TrackedJob | None:
    """The item that a condition did not hold for, None where none is or it is deleted; raises any other
    refusal."""
    item = item_from_failed_condition(error)
    return tracking_item.known(deserialized(item)) if item else None
