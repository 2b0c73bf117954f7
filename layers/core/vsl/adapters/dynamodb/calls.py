"""Calls of DynamoDB by boto3's low-level client. All may happen twice: every write is conditional."""

from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.aws import clients

FAILED_CONDITION = "ConditionalCheckFailedException"


def call(operation: str, **arguments: Any) -> dict[str, Any]:
    """Raises StoreUnavailable, ConfigurationError without a right or a table, else ClientError."""
    with clients.translated("DynamoDB"):
        answer: dict[str, Any] = getattr(clients.client("dynamodb"), operation)(**arguments)
    return answer


def item_from_failed_condition(error: ClientError) -> dict[str, Any]:
    """The item, if asked for, whose condition did not hold; raises any other refusal."""
    if clients.error_code(error) != FAILED_CONDITION:
        raise error
    item: dict[str, Any] = error.response.get("Item") or {}  # type: ignore[assignment]
    return item
