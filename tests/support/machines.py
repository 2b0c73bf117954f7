"""The real state machines executed in moto, each function played by a Python callable.

moto runs JSONPath machines with Retry, Catch, task tokens and time limits. Here it does not wait
between retries and parses a machine once. Whatever a callable raises reaches the machine as Lambda
would report it.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from tests.support.waiting import until

STATE_MACHINES = Path(__file__).resolve().parents[2] / "statemachines"
MACHINE_NAMES = tuple(sorted(path.name.split(".")[0] for path in STATE_MACHINES.glob("*.asl.json")))

Handler = Callable[[dict[str, Any]], Any]
_ACCOUNT = "123456789012"
_LAMBDA = f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/machine"
_LIMIT_SECONDS = 20
_PARSER = "moto.stepfunctions.parser.asl.parse.asl_parser.AmazonStateLanguageParser"
_ASL = "moto.stepfunctions.parser.asl.component"
_SERVICE = f"{_ASL}.state.exec.state_task.service.state_task_service_sfn"


class Fault(Exception):
    """An error under any name: one of Lambda's own, or one that a service reports."""

    def __init__(self, name: str) -> None:
        super().__init__(f"raised as {name}")
        self.name = name


@dataclass(frozen=True)
class Run:
    """One finished execution: its end, the states it entered, the function calls it made."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    states: list[str]
    calls: list[tuple[str, dict[str, Any]]]

    def events(self, function: str) -> list[dict[str, Any]]:
        """What the function was called with."""
        return [event for name, event in self.calls if name == function]


@cache
def definition(machine: str) -> dict[str, Any]:
    """The machine as it stands in the repository, substitutions unresolved."""
    text = (STATE_MACHINES / f"{machine}.asl.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def camel(function: str) -> str:
    """`submit_prediction` → `SubmitPrediction`."""
    return "".join(word.capitalize() for word in function.split("_"))


def snake(state: str) -> str:
    """`SubmitPrediction` → `submit_prediction`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in state).removeprefix("_")


class Machines:
    """Use through `machines()`; `run` executes one machine to its end."""

    def __init__(self) -> None:
        self.client = boto3.client("stepfunctions", region_name="us-east-1")
        self._lambda = boto3.client("lambda", region_name="us-east-1")
        self._handlers: Mapping[str, Handler] = {}
        self._calls: list[tuple[str, dict[str, Any]]] = []
        self._arns: dict[str, str] = {}
        self._counter = 0
        self.starts: list[dict[str, Any]] = []
        self.start_refusal: str | None = None
        self._substitutions = {"Partition": "aws"}

    def create(
        self, machine: str, changed: Mapping[str, Any] | None = None, suffix: str = ""
    ) -> str:
        """Deploy the machine, or a changed copy under a name of its own; the ARN.

        It runs as STANDARD whatever its type, because moto keeps no record of an EXPRESS run.
        """
        key = machine + suffix
        if key not in self._arns:
            text = json.dumps(changed or definition(machine))
            if machine == "generate_media":
                started = self.create("media_job")
                self._substitutions["MediaJobStateMachineArn"] = started
                self._substitutions["MediaJobExecutionArn"] = started.replace(
                    ":stateMachine:", ":execution:"
                )
            for name, value in self._substitutions.items():
                text = text.replace("${" + name + "}", value)
            text = text.replace("FunctionArn}", "").replace("${", _LAMBDA)
            created = self.client.create_state_machine(name=key, definition=text, roleArn=_ROLE)
            self._arns[key] = created["stateMachineArn"]
        return self._arns[key]

    def hasty(self, state: str, seconds: int) -> str:
        """media_job with a short time limit on the one state in which a test runs into it."""
        changed = copy.deepcopy(definition("media_job"))
        changed["States"][state]["TimeoutSeconds"] = seconds
        return self.create("media_job", changed, suffix=f"-hasty-{state}")

    def run(
        self,
        arn: str,
        document: Any,
        handlers: Mapping[str, Handler],
        name: str | None = None,
    ) -> Run:
        """Execute and wait for the end. A function without a handler must not be called."""
        self._handlers, self._calls, self._counter = handlers, [], self._counter + 1
        started = self.client.start_execution(
            stateMachineArn=arn, name=name or f"run-{self._counter}", input=json.dumps(document)
        )["executionArn"]
        return self.finished(started)

    def finished(self, execution_arn: str) -> Run:
        found = until(
            lambda: self.client.describe_execution(executionArn=execution_arn),
            lambda seen: seen["status"] != "RUNNING",
        )
        pages = self.client.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn
        )
        entered = [
            event["stateEnteredEventDetails"]["name"]
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]
        return Run(
            status=found["status"],
            output=json.loads(found["output"]) if "output" in found else None,
            error=found.get("error"),
            cause=found.get("cause"),
            states=entered,
            calls=list(self._calls),
        )

    def lambdas(self, **_arguments: object) -> Any:
        """The one client of all invocations: making one takes longer than a whole run."""
        return self._lambda

    def started(self) -> Callable[..., None]:
        """Plays states:startExecution, which moto does not get through: notes what was asked.

        While `start_refusal` is set, Step Functions refuses with that code.
        """

        def evaluate(_task: object, env: Any, *, normalised_parameters: Any, **_: object) -> None:
            self.starts.append(dict(normalised_parameters))
            if self.start_refusal:
                error = {"Code": self.start_refusal, "Message": "refused"}
                metadata = {"HTTPStatusCode": 400, "RequestId": "r"}
                answer: Any = {"Error": error, "ResponseMetadata": metadata}
                raise ClientError(answer, "StartExecution")
            env.stack.append({"ExecutionArn": "arn", "StartDate": "now"})

        return evaluate

    def invoke(
        self,
        function_name: str,
        _qualifier: str | None,
        body: str | bytes,
        _headers: Any,
        response_headers: dict[str, str],
    ) -> bytes:
        """Stands in for moto's Lambda without docker."""
        function = snake(function_name.rsplit(":", 1)[-1])
        event = json.loads(body)
        self._calls.append((function, event))
        try:
            result = self._handlers[function](event)
        except Exception as error:  # noqa: BLE001 - this is how Lambda reports any exception
            response_headers["x-amz-function-error"] = "Unhandled"
            name = error.name if isinstance(error, Fault) else type(error).__name__
            result = {"errorType": name, "errorMessage": str(error)}
        return json.dumps(result).encode()


@contextmanager
def machines() -> Iterator[Machines]:
    """moto with both machines' functions in this process; retries do not wait."""
    config: Any = {
        "stepfunctions": {"execute_state_machine": True},
        "lambda": {"use_docker": False},
    }
    with mock_aws(config=config):
        made = Machines()
        no_wait = SimpleNamespace(sleep=lambda _seconds: None)
        with (
            patch("moto.awslambda_simple.models.LambdaSimpleBackend.invoke", made.invoke),
            patch(f"{_SERVICE}.StateTaskServiceSfn._eval_service_task", made.started()),
            patch(f"{_PARSER}.parse", staticmethod(cache(AmazonStateLanguageParser.parse))),
            patch(f"{_ASL}.common.retry.retrier_decl.time", no_wait),
            patch(f"{_ASL}.state.exec.state_task.lambda_eval_utils.boto_client_for", made.lambdas),
        ):
            yield made
