"""Step Functions: task tokens and executions."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from vsl.domain.jobs.execution import ExecutionState


class TaskTokens(Protocol):
    """Step Functions task tokens. A token that was answered or has timed out is success."""

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> None: ...

    def fail(self, task_token: str, error: str, cause: str) -> None: ...


class Executions(Protocol):
    """Step Functions' executions of media_job."""

    def state(self, execution_arn: str) -> ExecutionState: ...


@dataclass(frozen=True, slots=True)
class WorkflowAnswer:
    """What the API workflow answers: an accepted job, a job that has ended, or a problem (RFC 9457)."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST


class ApiWorkflow(Protocol):
    """The state machine generate_media, run to its answer as API Gateway runs it."""

    def run(self, document: Mapping[str, Any]) -> WorkflowAnswer:
        """`document` is the machine's input (services.admission.machine_input). Raises StoreUnavailable;
        then it is not known whether a job was made, and the same key finds out."""
        ...
