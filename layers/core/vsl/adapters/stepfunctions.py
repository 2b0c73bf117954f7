"""Task tokens of Step Functions. A token is a credential: it is never logged."""

import json
from collections.abc import Mapping
from typing import Any

from vsl.adapters import json_client
from vsl.adapters.json_client import Refused

# Answered before, timed out, or replaced by a retry: the job needs nothing more from this token.
_SETTLED = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})


class TaskCallbacks:
    """Implements `services.ports.Callbacks`."""

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> None:
        text = json.dumps(output, separators=(",", ":"))
        self._send("send_task_success", taskToken=task_token, output=text)

    def fail(self, task_token: str, error: str, cause: str) -> None:
        self._send(
            "send_task_failure", taskToken=task_token, error=error[:256], cause=cause[:32_000]
        )

    def _send(self, operation: str, **arguments: str) -> None:
        try:
            getattr(json_client.client("stepfunctions"), operation)(**arguments)
        except Refused as refused:
            if refused.code not in _SETTLED:
                raise
