"""Which key equal requests share; implements `services.ports.idempotency.RecentRequests`.

Kept beside the Idempotency-Keys, whose table forgets what has run out. A record holds hashes and a time,
and nothing of the request.
"""

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.clock import epoch_ms
from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.dynamodb.values import serialized

_PREFIX = "recent#"


class DynamoRecentRequests:
    def __init__(self, table: str) -> None:
        self._table = table

    def key_of(self, digest: str, own: str, at: datetime, joins: int, kept: int) -> str:
        """A step that is repeated finds its own record: its key is the same."""
        oldest = epoch_ms(at - timedelta(seconds=joins))
        # Without a window every request is remembered, the latest of them.
        free = (
            "recentAt < :oldest OR sharedKey = :own"
            if joins
            else "recentAt <= :at OR sharedKey = :own"
        )
        try:
            self._remember(
                digest,
                own,
                at,
                kept,
                condition=f"attribute_not_exists(id) OR {free}",
                values={":oldest": oldest} if joins else {},
            )
        except ClientError as error:
            found = item_from_failed_condition(error).get("sharedKey", {}).get("S")
            return str(found) if joins and found else own
        return own

    def renew(self, digest: str, own: str, at: datetime, kept: int) -> None:
        self._remember(digest, own, at, kept, condition=None, values={})

    def _remember(
        self,
        digest: str,
        own: str,
        at: datetime,
        kept: int,
        *,
        condition: str | None,
        values: dict[str, Any],
    ) -> None:
        conditional = (
            {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
            if condition
            else {}
        )
        call(
            "update_item",
            TableName=self._table,
            Key=serialized({"id": _PREFIX + digest}),
            UpdateExpression="SET sharedKey = :own, recentAt = :at, expiration = :until",
            ExpressionAttributeValues=serialized(
                {
                    ":own": own,
                    ":at": epoch_ms(at),
                    ":until": int((at + timedelta(seconds=kept)).timestamp()),
                    **values,
                }
            ),
            **conditional,
        )
