"""Keys that VSL minted, in a table of their own; implements `services.ports.api_keys.ApiKeys`.

Times are epoch milliseconds. `ttl` (epoch seconds) is when DynamoDB forgets the item: a key that ended is
listed for `KEPT_SECONDS` longer. A forgotten key is an unknown one, which is refused as well.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.clock import epoch_ms
from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.dynamodb.tracking_item import parse_epoch_ms
from vsl.adapters.dynamodb.values import deserialized, serialized
from vsl.domain.api.api_key import ApiKey
from vsl.domain.api.api_key_request import ApiKeyList

KEPT_SECONDS = 30 * 86_400
# Of 1 MiB each, some thousand keys: a page that finds less answers with what it has.
_READS_PER_PAGE = 5
_LISTED = "keyId, userId, #project, createdAt, expiresAt, revokedAt, dedupeSeconds"


class DynamoApiKeys:
    def __init__(self, table: str) -> None:
        self._table = table

    def find(self, key_id: str) -> ApiKey | None:
        """Read consistently: a revocation counts from its answer on, but for what is cached."""
        answer = call("get_item", TableName=self._table, Key=_key(key_id), ConsistentRead=True)
        item = answer.get("Item")
        return _read(item) if item else None

    def create(self, key: ApiKey) -> bool:
        try:
            call(
                "put_item",
                TableName=self._table,
                Item=to_item(key),
                ConditionExpression="attribute_not_exists(keyId)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            # boto3 sends a call again whose answer is lost, and then its own item refuses it.
            there = item_from_failed_condition(error)
            return bool(there) and _read(there).secret_hash == key.secret_hash
        return True

    def revoke(self, key_id: str, at: datetime) -> ApiKey | None:
        values = {":at": epoch_ms(at), ":ttl": _forgotten(at)}
        try:
            answer = call(
                "update_item",
                TableName=self._table,
                Key=_key(key_id),
                UpdateExpression="SET revokedAt = :at, #ttl = :ttl",
                ConditionExpression="attribute_exists(keyId) AND attribute_not_exists(revokedAt)",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues=serialized(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            there = item_from_failed_condition(error)
            return _read(there) if there else None
        return _read(answer["Attributes"])

    def page(self, wanted: ApiKeyList) -> tuple[Sequence[ApiKey], str | None]:
        """By scans: keys are few, and only operators list them."""
        found: list[ApiKey] = []
        after = wanted.after
        for _ in range(_READS_PER_PAGE):
            answer = call("scan", **self._scan(wanted, after))
            found += [_read(item) for item in answer["Items"]]
            if len(found) > wanted.limit:
                found = found[: wanted.limit]
                return found, found[-1].key_id
            last = answer.get("LastEvaluatedKey")
            if last is None:
                return found, None
            after = str(deserialized(last)["keyId"])
        return found, after

    def _scan(self, wanted: ApiKeyList, after: str | None) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "TableName": self._table,
            "ProjectionExpression": _LISTED,
            "ExpressionAttributeNames": {"#project": "project"},
            "ConsistentRead": True,
        }
        if after is not None:
            asked["ExclusiveStartKey"] = _key(after)
        if wanted.owner is not None:
            asked["FilterExpression"] = "userId = :owner"
            asked["ExpressionAttributeValues"] = serialized({":owner": wanted.owner})
        return asked


def to_item(key: ApiKey) -> dict[str, Any]:
    """As DynamoDB's attribute values."""
    ends = key.revoked_at or key.expires_at
    values = {
        "keyId": key.key_id,
        "secretHash": key.secret_hash,
        "userId": key.user_id,
        "project": key.project,
        "createdAt": epoch_ms(key.created_at),
        "expiresAt": _maybe(key.expires_at),
        "revokedAt": _maybe(key.revoked_at),
        "dedupeSeconds": key.dedupe_seconds or None,
        "ttl": None if ends is None else _forgotten(ends),
    }
    return serialized({name: value for name, value in values.items() if value is not None})


def _read(item: Mapping[str, Any]) -> ApiKey:
    values = deserialized(item)
    at = {name: parse_epoch_ms(values[name]) for name in _TIMES if name in values}
    return ApiKey(
        key_id=values["keyId"],
        secret_hash=values.get("secretHash", ""),
        created_at=at["createdAt"],
        user_id=values.get("userId"),
        project=values.get("project"),
        expires_at=at.get("expiresAt"),
        revoked_at=at.get("revokedAt"),
        dedupe_seconds=int(values.get("dedupeSeconds", 0)),
    )


_TIMES = ("createdAt", "expiresAt", "revokedAt")


def _key(key_id: str) -> dict[str, Any]:
    return serialized({"keyId": key_id})


def _forgotten(ended: datetime) -> int:
    return int(ended.timestamp()) + KEPT_SECONDS


def _maybe(at: datetime | None) -> int | None:
    return None if at is None else epoch_ms(at)
