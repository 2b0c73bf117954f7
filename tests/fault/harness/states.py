"""An interpreter of our state machines: exactly the part of the language that they use.

Semantics: https://states-language.net and https://docs.aws.amazon.com/step-functions. A field, an
error name or a path that it does not know raises, so that nothing new is silently passed over. Time
is virtual and the jitter is left out: a retry waits for its whole interval.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

from tests.fault.harness.clients import StepFunctionsClient, TaskToken
from tests.fault.harness.effects import Effects, Fault
from tests.fault.harness.virtual_time import Fiber, Scheduler, Signal
from tests.support.template import REPOSITORY
from vsl.domain.jobs.job import iso

LAMBDA = "arn:${Partition}:states:::lambda:invoke"
START = "arn:${Partition}:states:::states:startExecution"
SUBSTITUTED = {"MediaJobExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:media-job"}
CALLBACK = "arn:${Partition}:states:::lambda:invoke.waitForTaskToken"
_TASK = {
    "Type", "Comment", "Resource", "Parameters", "ResultSelector", "ResultPath", "TimeoutSeconds",
    "Retry", "Catch", "Next", "End",
}  # fmt: skip
_CHOICE = {"Type", "Comment", "Choices", "Default"}
_PASS = {"Type", "Comment", "Parameters", "Result", "ResultPath", "Next", "End"}
_RULE = {"Variable", "NumericGreaterThan", "BooleanEquals", "Next"}
_FAIL = {"Type", "Comment", "ErrorPath", "CausePath", "Error", "Cause"}
_RETRY = {
    "ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxDelaySeconds", "MaxAttempts",
    "JitterStrategy",
}  # fmt: skip
_CATCH = {"ErrorEquals", "ResultPath", "Next"}
_STATES_ERRORS = {"States.ALL", "States.Timeout"}


class StateError(Exception):
    """A task's error, as a retrier or a catcher sees it."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.error = error
        self.cause = cause


class Invoker(Protocol):
    """Starts a function on a fiber of its own; its answer is a JSON value or a StateError."""

    def __call__(self, function: str, event: Any) -> Fiber: ...


@cache
def machine(name: str) -> dict[str, Any]:
    """The definition, checked: nothing in it is unknown here."""
    text = (REPOSITORY / "statemachines" / f"{name}.asl.json").read_text()
    definition: dict[str, Any] = json.loads(text)
    _known(definition, {"Comment", "StartAt", "TimeoutSeconds", "States"})
    for state in definition["States"].values():
        kinds = {"Task": _TASK, "Fail": _FAIL, "Choice": _CHOICE, "Pass": _PASS}
        _known(state, kinds[state["Type"]])
        for rule in state.get("Choices", ()):
            _known(rule, _RULE)
        for retrier in state.get("Retry", ()):
            _known(retrier, _RETRY)
        for catcher in state.get("Catch", ()):
            _known(catcher, _CATCH)
        for rule in (*state.get("Retry", ()), *state.get("Catch", ())):
            unknown = {e for e in rule["ErrorEquals"] if e.startswith("States.")} - _STATES_ERRORS
            assert not unknown, unknown
    return definition


def _known(found: Mapping[str, Any], known: set[str]) -> None:
    unknown = set(found) - known
    if unknown:
        raise NotImplementedError(f"the interpreter does not know {sorted(unknown)}")


@dataclass
class Execution:
    """One run of a machine. `status` is RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.

    `wait_ends_at` brings the time limit of the first wait forward; `doubled` functions are called
    twice at the same time. `start_job` is StartExecution, for a machine that starts another.
    """

    arn: str
    name: str
    given: dict[str, Any]
    scheduler: Scheduler
    effects: Effects
    tokens: StepFunctionsClient
    invoke: Invoker
    on_end: Callable[["Execution"], None]
    definition: dict[str, Any]
    status: str = "RUNNING"
    error: str | None = None
    output: Any = None
    entered: list[str] = field(default_factory=list)
    caught: list[tuple[str, str]] = field(default_factory=list)
    started_at: float = 0.0
    ended_at: float | None = None
    fiber: Fiber | None = None
    wait_ends_at: float | None = None
    doubled: frozenset[str] = frozenset()
    start_job: Callable[[str, Any], None] | None = None
    _tokens: list[TaskToken] = field(default_factory=list)

    def start(self) -> None:
        self.started_at = self.scheduler.now
        self.tokens.statuses[self.arn] = self.status
        self.fiber = self.scheduler.spawn("StepFunctions", self._run)
        self.scheduler.after(self.definition["TimeoutSeconds"], self._time_out, background=True)

    def stop(self) -> None:
        """StopExecution: what runs in Lambda goes on, nobody hears its answer."""
        self._end("ABORTED", None, None)

    def started_moment(self) -> datetime:
        return self.scheduler.moment() - timedelta(seconds=self.scheduler.now - self.started_at)

    def started_date(self) -> int:
        return int(self.started_moment().timestamp() * 1000)

    def _time_out(self) -> None:
        self._end("TIMED_OUT", "States.Timeout", None)

    def _end(self, status: str, error: str | None, output: Any) -> None:
        if self.status != "RUNNING":
            return
        self.status, self.error, self.output = status, error, output
        self.tokens.statuses[self.arn] = status
        self.ended_at = self.scheduler.now
        for token in self._tokens:
            token.closed = True
        if self.fiber is not None and self.scheduler.current is not self.fiber:
            self.fiber.killed = True
            self.scheduler.after(0, self.fiber.resume)
        self.on_end(self)

    def _run(self) -> None:
        states: dict[str, Any] = self.definition["States"]
        name, document = self.definition["StartAt"], json.loads(json.dumps(self.given))
        while True:
            state = states[name]
            self.entered.append(name)
            if state["Type"] == "Fail":
                error = state.get("Error") or at(state["ErrorPath"], document)
                self._end("FAILED", error, None)
                return
            if state["Type"] == "Choice":
                name = _chosen(state, document)
                continue
            following, document = (
                _passed(state, document)
                if state["Type"] == "Pass"
                else self._task(name, state, document)
            )
            if following is None:
                self._end("SUCCEEDED", None, document)
                return
            name = following

    def _task(self, name: str, state: Mapping[str, Any], given: Any) -> tuple[str | None, Any]:
        used = [0] * len(state.get("Retry", ()))
        entered = {"State": {"EnteredTime": iso(self.scheduler.moment())}}
        while True:
            try:
                result = self._attempt(state, given, entered)
            except StateError as error:
                pause = _retry(state, error.error, used)
                if pause is not None:
                    self.scheduler.sleep(pause)
                    continue
                catcher = _matching(state.get("Catch", ()), error.error)
                if catcher is None:
                    raise NotImplementedError(f"nobody catches {error.error}") from error
                self.caught.append((name, error.error))
                caught = {"Error": error.error, "Cause": error.cause}
                return catcher["Next"], put(catcher.get("ResultPath", "$"), given, caught)
            if "ResultSelector" in state:
                result = fill(state["ResultSelector"], result, {})
            following = None if state.get("End") else state["Next"]
            return following, put(state.get("ResultPath", "$"), given, result)

    def _attempt(self, state: Mapping[str, Any], given: Any, entered: Mapping[str, Any]) -> Any:
        token = TaskToken(self.scheduler)
        text = f"task-token-{len(self.tokens.tokens)}-secret"
        self.tokens.tokens[text] = token
        self._tokens.append(token)
        context = {
            "Execution": {
                "Id": self.arn,
                "Name": self.name,
                "StartTime": iso(self.started_moment()),
            },
            "Task": {"Token": text},
            **entered,
        }
        deadline = self.scheduler.now + state["TimeoutSeconds"]
        parameters = fill(state["Parameters"], given, context)
        if state["Resource"] == START:
            return self._start_job(parameters)
        _known(parameters, {"FunctionName", "Payload"})
        function = parameters["FunctionName"].removeprefix("${").removesuffix("FunctionArn}")
        if state["Resource"] == LAMBDA:
            return self._call(function, parameters["Payload"], deadline)
        if state["Resource"] == CALLBACK:
            if self.wait_ends_at is not None:
                deadline, self.wait_ends_at = self.wait_ends_at, None
            return self._wait(function, parameters["Payload"], token, deadline)
        raise NotImplementedError(state["Resource"])

    def _call(self, function: str, payload: Any, deadline: float) -> Any:
        fiber = self._invoke(function, payload)
        if not fiber.ended.wait(deadline - self.scheduler.now):
            raise StateError("States.Timeout", "")
        return {"StatusCode": 200, "Payload": answer_of(fiber)}

    def _wait(self, function: str, payload: Any, token: TaskToken, deadline: float) -> Any:
        """The callback counts from the moment it comes, even before the function has answered."""
        try:
            fiber = self._invoke(function, payload)
            either = Signal(self.scheduler)
            token.answered.then(either.set)
            fiber.ended.then(either.set)
            in_time = either.wait(deadline - self.scheduler.now)
            if in_time and not token.answered.set_already:
                answer_of(fiber)
                in_time = token.answered.wait(deadline - self.scheduler.now)
            if not in_time:
                raise StateError("States.Timeout", "")
        finally:
            token.closed = True
        if token.failure is not None:
            raise StateError(*token.failure)
        return json.loads(token.output or "null")

    def _start_job(self, parameters: Mapping[str, Any]) -> Any:
        """Names make it idempotent: with the same name and input it may come twice."""
        assert self.start_job is not None
        _known(parameters, {"StateMachineArn", "Name", "Input"})
        fault = self.effects.next("stepfunctions", "start_execution")
        if fault in {Fault.CRASH_BEFORE, Fault.ERROR_BEFORE}:
            raise StateError("StepFunctions.ThrottlingException", "")
        if fault in {Fault.DELAY_BEFORE, Fault.HANG}:
            self.effects.delays += 3
            self.scheduler.sleep(3)
        self.start_job(parameters["Name"], parameters["Input"])
        if fault is Fault.DUPLICATE:
            self.start_job(parameters["Name"], parameters["Input"])
        if fault in {Fault.CRASH_AFTER, Fault.ERROR_AFTER}:
            raise StateError("StepFunctions.SdkClientException", "")
        if fault is Fault.DELAY_AFTER:
            self.effects.delays += 3
            self.scheduler.sleep(3)
        return {}

    def _invoke(self, function: str, payload: Any) -> Fiber:
        """An effect of Step Functions: the call may fail on its way there or back, or come twice."""
        fault = self.effects.next("lambda", function)
        if fault in {Fault.CRASH_BEFORE, Fault.ERROR_BEFORE}:
            raise StateError("Lambda.ServiceException", "")
        if fault in {Fault.DELAY_BEFORE, Fault.HANG}:
            self.effects.delays += 3
            self.scheduler.sleep(3)
        fiber = self.invoke(function, payload)
        if function in self.doubled:
            self.invoke(function, payload)
        if fault is Fault.CRASH_AFTER:
            fiber.ended.wait()
            raise StateError("Lambda.Unknown", "")
        if fault is Fault.ERROR_AFTER:
            # The connection broke; the function runs on while its successor starts.
            raise StateError("Lambda.SdkClientException", "")
        if fault is Fault.DUPLICATE:
            fiber.ended.wait()
            fiber = self.invoke(function, payload)
        if fault is Fault.DELAY_AFTER:
            fiber.ended.wait()
            self.effects.delays += 3
            self.scheduler.sleep(3)
        return fiber


def answer_of(fiber: Fiber) -> Any:
    if isinstance(fiber.error, StateError):
        raise fiber.error
    if fiber.error is not None:
        raise AssertionError(f"{fiber.name} ended in {fiber.error!r}") from fiber.error
    return fiber.value


def _retry(state: Mapping[str, Any], error: str, used: list[int]) -> float | None:
    for index, retrier in enumerate(state.get("Retry", ())):
        if _matches(retrier["ErrorEquals"], error):
            if used[index] >= retrier["MaxAttempts"]:
                return None
            pause = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** used[index]
            used[index] += 1
            return float(min(pause, retrier["MaxDelaySeconds"]))
    return None


def _matching(rules: Any, error: str) -> Mapping[str, Any] | None:
    return next((rule for rule in rules if _matches(rule["ErrorEquals"], error)), None)


def _matches(names: list[str], error: str) -> bool:
    return error in names or "States.ALL" in names


def _chosen(state: Mapping[str, Any], document: Any) -> str:
    for rule in state["Choices"]:
        found = at(rule["Variable"], document)
        if "BooleanEquals" in rule:
            holds = found is rule["BooleanEquals"]
        else:
            holds = found > rule["NumericGreaterThan"]
        if holds:
            return str(rule["Next"])
    return str(state["Default"])


def _passed(state: Mapping[str, Any], document: Any) -> tuple[str | None, Any]:
    result = state["Result"] if "Result" in state else fill(state["Parameters"], document, {})
    following = None if state.get("End") else state["Next"]
    return following, put(state.get("ResultPath", "$"), document, result)


def fill(template: Any, document: Any, context: Any) -> Any:
    """`Parameters` and `ResultSelector`: names that end in `.$` are paths."""
    if not isinstance(template, dict):
        return template
    filled: dict[str, Any] = {}
    for name, value in template.items():
        if name.endswith(".$") and value.startswith("States."):
            filled[name[:-2]] = _intrinsic(value, document)
        elif name.endswith(".$"):
            root = context if value.startswith("$$") else document
            filled[name[:-2]] = at(value.removeprefix("$") if root is context else value, root)
        else:
            filled[name] = fill(value, document, context)
    return filled


def _intrinsic(text: str, document: Any) -> Any:
    """Those that are used, each in the form that is used."""
    written = re.fullmatch(r"States\.JsonToString\((.+)\)", text)
    if written:
        return json.dumps(_intrinsic(written[1], document))
    added = re.fullmatch(r"States\.JsonMerge\(States\.StringToJson\((\S+)\), (\S+), false\)", text)
    if added:
        return {**json.loads(at(added[1], document)), **at(added[2], document)}
    merged = re.fullmatch(r"States\.JsonMerge\((\S+), (\S+), false\)", text)
    if merged:
        return {**at(merged[1], document), **at(merged[2], document)}
    formatted = re.fullmatch(r"States\.Format\('\$\{(\w+)\}:\{\}', (\S+)\)", text)
    if formatted:
        return f"{SUBSTITUTED[formatted[1]]}:{at(formatted[2], document)}"
    raise NotImplementedError(text)


def at(path: str, document: Any) -> Any:
    """A reference path; one that leads nowhere raises, as it fails the execution."""
    first, *names = path.split(".")
    if first != "$" or not all(name.isalnum() for name in names):
        raise NotImplementedError(f"path {path!r}")
    for name in names:
        document = document[name]
    return document


def put(path: str | None, document: Any, result: Any) -> Any:
    """`ResultPath`: null keeps the input, `$` replaces it, `$.name` adds to it."""
    if path is None:
        return document
    if path == "$":
        return result
    first, name = path.split(".")
    assert first == "$"
    return {**document, name: result}
