"""What becomes of a claimed Idempotency-Key; implements `services.ports.idempotency.KeyRecords`.

The records are Powertools' own (`adapters.dynamodb.idempotency` claims them): attributes and states are
theirs, what is kept in `data` is `domain.jobs.idempotency`'s. Each write is conditional on what stands there,
and repeating it is a success.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.dynamodb.values import serialized
from vsl.domain.errors import RequestInProgress
from vsl.domain.jobs.idempotency import (
    CLAIM_SECONDS,
    KEPT_SECONDS,
    KeyRecord,
    KeyState,
    kept_text,
)


class DynamoKeyRecords:
    def __init__(self, table: str, now: Callable[[], datetime]) -> None:
        self._table = table
        self._now = now

    def hold(self, record: KeyRecord, job_id: str) -> bool:
        """Keep the claim while the job is written down; False when it was created already.

        Raises RequestInProgress when the key was claimed for another job meanwhile. A claim that was
        let go or ran out is made again.
        """
        before = (KeyState.CLAIMED, KeyState.CREATING)
        kept = self._set(record, job_id, KeyState.CREATING, CLAIM_SECONDS, before, absent=True)
        if kept is None:
            return True
        if kept == kept_text(job_id, KeyState.CREATED):
            return False
        raise _taken()

    def bind(self, record: KeyRecord, job_id: str) -> None:
        """The job was created: from now on the key means this job and no other."""
        before = (KeyState.CREATING, KeyState.CREATED)
        kept = self._set(record, job_id, KeyState.CREATED, KEPT_SECONDS, before, absent=False)
        if kept is not None:
            raise _taken()

    def release(self, record: KeyRecord, job_id: str) -> None:
        """Nothing came of the request: the key is free, unless the job is being created."""
        try:
            call(
                "delete_item",
                TableName=self._table,
                Key=serialized({"id": record.id}),
                ConditionExpression="#data = :claimed",
                ExpressionAttributeNames={"#data": "data"},
                ExpressionAttributeValues=serialized(
                    {":claimed": kept_text(job_id, KeyState.CLAIMED)}
                ),
            )
        except ClientError as error:
            item_from_failed_condition(error)

    def _set(
        self,
        record: KeyRecord,
        job_id: str,
        state: KeyState,
        seconds: int,
        before: Sequence[KeyState],
        *,
        absent: bool,
    ) -> str | None:
        """None when it was written, else what is kept there instead. `before` are the states of this
        very job that it may be written over, `absent` lets it be written where nothing is."""
        condition = f"#data IN ({', '.join(f':{each.value}' for each in before)})"
        if absent:
            condition = f"attribute_not_exists(id) OR {condition}"
        values: dict[str, Any] = {
            ":completed": "COMPLETED",
            ":hash": record.body_hash,
            ":until": int((self._now() + timedelta(seconds=seconds)).timestamp()),
            **{f":{each.value}": kept_text(job_id, each) for each in (*before, state)},
        }
        try:
            call(
                "update_item",
                TableName=self._table,
                Key=serialized({"id": record.id}),
                UpdateExpression=f"SET #data = :{state.value}, #status = :completed,"
                " validation = :hash, expiration = :until",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#data": "data", "#status": "status"},
                ExpressionAttributeValues=serialized(values),
                ReturnValues="NONE",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            kept = item_from_failed_condition(error).get("data", {})
            return str(kept.get("S", ""))
        return None


def _taken() -> RequestInProgress:
    message = "Another request with this Idempotency-Key is being accepted."
    return RequestInProgress(message, retryAfter=1)
