"""Step Functions: task tokens, executions, the API workflow. A token is a credential: it is never logged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.aws import clients
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.execution import ExecutionState
from vsl.services.ports.workflow import WorkflowAnswer

# Longer than generate_media may run (its TimeoutSeconds; a test compares).
ANSWER_SECONDS = 29.0
# Answered before, timed out, or replaced by a retry: the job needs nothing more from this token.
_SETTLED = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})


class StepFunctionsTaskTokens:
    """Implements `services.ports.workflow.TaskTokens`."""

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> None:
        text = json.dumps(output, separators=(",", ":"))
        self._send("send_task_success", taskToken=task_token, output=text)

    def fail(self, task_token: str, error: str, cause: str) -> None:
        self._send(
            "send_task_failure", taskToken=task_token, error=error[:256], cause=cause[:32_000]
        )

    def _send(self, operation: str, **arguments: str) -> None:
        try:
            with clients.translated("Step Functions"):
                getattr(clients.client("stepfunctions"), operation)(**arguments)
        except ClientError as error:
            if clients.error_code(error) not in _SETTLED:
                raise


class DescribedExecutions:
    """Implements `services.ports.workflow.Executions`. The answer may lag behind by a moment."""

    def state(self, execution_arn: str) -> ExecutionState:
        try:
            with clients.translated("Step Functions"):
                found = clients.client("stepfunctions").describe_execution(
                    executionArn=execution_arn
                )
        except ClientError as error:
            if clients.error_code(error) != "ExecutionDoesNotExist":
                raise
            return ExecutionState.ABSENT
        # Also one that is about to be redriven: its steps go on.
        running = found["status"] in {"RUNNING", "PENDING_REDRIVE"}
        return ExecutionState.RUNNING if running else ExecutionState.OVER


@dataclass(frozen=True, slots=True)
class SynchronousApiWorkflow:
    """Implements `services.ports.workflow.ApiWorkflow` by StartSyncExecution."""

    machine_arn: str

    def run(self, document: Mapping[str, Any]) -> WorkflowAnswer:
        machine = clients.client(
            "stepfunctions", read_timeout=ANSWER_SECONDS, attempts=1, host_prefix=True
        )
        with clients.translated("Step Functions"):
            ended = machine.start_sync_execution(
                stateMachineArn=self.machine_arn, input=json.dumps(document, separators=(",", ":"))
            )
        if ended["status"] != "SUCCEEDED":
            raise StoreUnavailable(
                "The request was not answered in time.", service="generate_media"
            )
        answer = json.loads(ended["output"])
        return WorkflowAnswer(answer["statusCode"], answer["headers"], json.loads(answer["body"]))
