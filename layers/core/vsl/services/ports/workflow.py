"""Step Functions: task tokens and executions."""

from collections.abc import Mapping
from typing import Any, Protocol

from vsl.domain.jobs.execution import ExecutionState


class TaskTokens(Protocol):
    """Step Functions task tokens. A token that was answered or has timed out is success."""

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> None: ...

    def fail(self, task_token: str, error: str, cause: str) -> None: ...


class Executions(Protocol):
    """Step Functions' executions of media_job."""

    def state(self, execution_arn: str) -> ExecutionState: ...
