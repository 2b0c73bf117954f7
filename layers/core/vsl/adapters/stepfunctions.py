"""Task tokens of Step Functions. A token is a credential: it is never logged."""

import json
from collections.abc import Mapping
from typing import Any

from vsl.adapters.aws import client, error_code, translated

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
        from botocore.exceptions import ClientError

        with translated("Step Functions"):
            try:
                getattr(client("stepfunctions"), operation)(**arguments)
            except ClientError as error:
                if error_code(error) not in _SETTLED:
                    raise
