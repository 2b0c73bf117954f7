"""What boto3's clients raise, for stand-ins of them."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


class ConditionFailed(ClientError):
    """The class that a client of DynamoDB has among its `exceptions`."""


def refused(code: str, answer: Mapping[str, Any] | None = None, status: int = 400) -> ClientError:
    """`answer` is what AWS sent besides, such as the item that stood in the way."""
    known = dict(answer or {})
    error = {"Code": code, "Message": str(known.get("message", ""))}
    response: Any = {**known, "Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
    kind = ConditionFailed if code == "ConditionalCheckFailedException" else ClientError
    return kind(response, "Operation")
