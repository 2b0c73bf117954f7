"""What DynamoDB and Step Functions refuse, over clients in memory that would take anything.

Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html and
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from tests.support.aws_calls import refused
from tests.support.memory_dynamodb import DynamoDBClient, Item

ITEM_BYTES = 400 * 1024
TOKEN_OUTPUT_BYTES = STATE_BYTES = 256 * 1024
CAUSE_CHARACTERS = 32_768
_DEPTH = 32
_INDEX_KEYS = {"replicateId": 2048, "inFlightShard": 2048}


class StrictDynamoDB(DynamoDBClient):
    """Refuses values that no item holds, and items that are too large."""

    def put_item(self, **arguments: Any) -> Item:
        self._check(arguments["Item"])
        return super().put_item(**arguments)

    def update_item(self, **arguments: Any) -> Item:
        self._check(arguments["ExpressionAttributeValues"])
        for name in (arguments.get("ExpressionAttributeNames") or {}).values():
            _text(name, 255)
        return super().update_item(**arguments)

    def query(self, **arguments: Any) -> Item:
        self._check(arguments["ExpressionAttributeValues"])
        return super().query(**arguments)

    def _check(self, values: Item) -> None:
        for value in values.values():
            _size(value, _DEPTH)

    def _write(self, job_id: str, item: Item) -> None:
        for name, most in _INDEX_KEYS.items():
            if name in item and not 1 <= len(item[name]["S"].encode()) <= most:
                raise _invalid(f"{name} is a key of an index")
        size = sum(len(name.encode()) + _size(value, _DEPTH) for name, value in item.items())
        if size > ITEM_BYTES:
            raise _invalid("Item size to update has exceeded the maximum allowed size")
        super()._write(job_id, item)


class StrictTokens:
    """Task tokens: the first answer to each counts."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, str]] = {}

    def send_task_success(self, *, taskToken: str, output: str) -> Item:  # noqa: N803
        if len(output.encode()) > TOKEN_OUTPUT_BYTES:
            raise _invalid("'output' is too long")
        self.answers.setdefault(taskToken, ("", output))
        return {}

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> Item:  # noqa: N803
        cause.encode()
        if len(error) > 256 or len(cause) > CAUSE_CHARACTERS:
            raise _invalid("'error' or 'cause' is too long")
        self.answers.setdefault(taskToken, (error, cause))
        return {}


def _size(value: Item, depth: int) -> int:
    """The bytes that the value takes; raises ClientError when DynamoDB does not hold it."""
    if depth < 0:
        raise _invalid("nested too deep")
    ((kind, held),) = value.items()
    if kind == "S":
        return _text(held, ITEM_BYTES)
    if kind == "N":
        _number(Decimal(held))
        return 21
    if kind == "M":
        return 3 + sum(_text(name, 65_535) + _size(each, depth - 1) for name, each in held.items())
    if kind == "L":
        return 3 + sum(1 + _size(each, depth - 1) for each in held)
    if kind == "SS":
        return sum(_text(each, ITEM_BYTES) for each in held)
    assert kind in {"BOOL", "NULL"}, kind
    return 1


def _number(number: Decimal) -> None:
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > 38:
        raise _invalid("a number of more than 38 digits")
    if number and not Decimal("1E-130") <= abs(number) < Decimal("1E126"):
        raise _invalid("a number out of range")


def _text(text: str, most: int) -> int:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise refused("SerializationException", {}) from None
    if size > most:
        raise _invalid("a text that is too long")
    return size


def _invalid(message: str) -> ClientError:
    return refused("ValidationException", {"message": message})
