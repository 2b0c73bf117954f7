"""What a stage's stack and the account say."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

type Clients = Callable[[str], Any]
"""A boto3 client by the name of its service."""


@contextmanager
def ignored(*codes: str) -> Iterator[None]:
    """AWS errors with these codes end the block without an exception."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def stack_status(stage: str, client: Clients) -> str | None:
    """None where there is no stack, or only the record of one."""
    stacks: list[dict[str, Any]] = []
    with ignored("ValidationError"):
        stacks = client("cloudformation").describe_stacks(StackName=f"vsl-{stage}")["Stacks"]
    status = next((str(each["StackStatus"]) for each in stacks), None)
    return None if status in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} else status
