"""One table of live items: conditional writes that answer with the item, held or not."""

from collections.abc import Mapping
from typing import Any

from vsl.adapters import json_client, live_item
from vsl.adapters.attributes import deserialized, serialized
from vsl.adapters.json_client import Refused
from vsl.adapters.live_item import live_job
from vsl.domain.errors import JobNotFound
from vsl.domain.job import TERMINAL
from vsl.domain.live_job import LiveJob

FAILED_CONDITION = "ConditionalCheckFailedException"
ALIVE = "NOT #status IN (:succeeded, :failed, :canceled)"
TERMINAL_VALUES = {f":{status}": status.value for status in TERMINAL}


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
    ) -> LiveJob | None:
        """The item after the update; None when the condition did not hold."""
        item, held = self._try(job_id, update, condition, values=values, names=names)
        return item if held else None

    def _try(
        self,
        job_id: str,
        update: str,
        condition: str,
        *,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> tuple[LiveJob | None, bool]:
        """The item after the update, and True; else the item whose condition did not hold."""
        all_names = dict(names or {})
        all_values = dict(values)
        if "#status" in update or "#status" in condition:
            all_names["#status"] = "status"
        if ALIVE in condition:
            all_values |= TERMINAL_VALUES
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": serialized(live_item.key(job_id)),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": serialized(all_values),
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if all_names:
            arguments["ExpressionAttributeNames"] = all_names
        try:
            answer = json_client.client("dynamodb").update_item(**arguments)
        except Refused as refused:
            return standing(refused), False
        return live_job(deserialized(answer["Attributes"])), True


def standing(refused: Refused) -> LiveJob | None:
    """The item that a condition did not hold for; raises any other refusal."""
    if refused.code != FAILED_CONDITION:
        raise refused
    item = refused.answer.get("Item")
    return live_job(deserialized(item)) if item else None


def required(item: LiveJob | None, job_id: str) -> LiveJob:
    if item is None:
        raise JobNotFound("The job has no live item.", jobId=job_id)
    return item
