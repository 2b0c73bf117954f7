"""Asynchronous calls of our own functions."""

import json
from collections.abc import Mapping
from typing import Any

from vsl.adapters.aws import clients


def invoke_later(function: str, event: Mapping[str, Any]) -> None:
    """Lambda keeps the event and retries it; what still fails goes to the function's queue."""
    with clients.translated("Lambda"):
        clients.client("lambda").invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode()
        )
