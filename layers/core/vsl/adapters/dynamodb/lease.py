"""One at a time: a lease in DynamoDB that its holder gives back, and that ends by itself if it dies.

Kept beside the Idempotency-Keys, whose table forgets what has run out.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from vsl.adapters.clock import epoch_ms
from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.dynamodb.values import serialized

_FORGOTTEN_AFTER = timedelta(hours=1)


class DynamoLease:
    def __init__(self, table: str, name: str, now: Callable[[], datetime]) -> None:
        self._table = table
        self._id = f"lease#{name}"
        self._now = now

    def take(self, holder: str, lasts: timedelta) -> bool:
        """False while another holds it. Who holds it may take it again."""
        now = self._now()
        try:
            call(
                "update_item",
                TableName=self._table,
                Key=serialized({"id": self._id}),
                UpdateExpression="SET holder = :holder, heldUntil = :until, expiration = :forgotten",
                ConditionExpression="attribute_not_exists(id) OR heldUntil < :now OR holder = :holder",
                ExpressionAttributeValues=serialized(
                    {
                        ":holder": holder,
                        ":now": epoch_ms(now),
                        ":until": epoch_ms(now + lasts),
                        ":forgotten": int((now + lasts + _FORGOTTEN_AFTER).timestamp()),
                    }
                ),
            )
        except ClientError as error:
            item_from_failed_condition(error)
            return False
        return True

    def give_back(self, holder: str) -> None:
        """What another holds by now stays his."""
        try:
            call(
                "delete_item",
                TableName=self._table,
                Key=serialized({"id": self._id}),
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues=serialized({":holder": holder}),
            )
        except ClientError as error:
            item_from_failed_condition(error)
