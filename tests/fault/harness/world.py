"""One job's whole surroundings in one process: Step Functions, Lambda, stores, provider, actors."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from tests.fault.harness import handlers
from tests.fault.harness.accounting import EffectfulAccounting, MemoryAccounting
from tests.fault.harness.clients import (
    Announced,
    Client,
    DynamoDBClient,
    LambdaClient,
    RedisClient,
    S3Client,
    StepFunctionsClient,
)
from tests.fault.harness.effects import (
    Effect,
    Effects,
    Fault,
    LambdaDiedError,
    LambdaTimedOutError,
)
from tests.fault.harness.replicate import (
    WEBHOOK_SECRET,
    Files,
    Replicate,
    ReplicateClient,
    Script,
)
from tests.fault.harness.states import Execution, StateError, machine
from tests.fault.harness.virtual_time import Fiber, FiberKilled, Scheduler
from tests.support.jobs import catalogue, make_job
from vsl.adapters.announcements import AwsAnnouncements
from vsl.adapters.dynamodb import DynamoLiveJobs
from vsl.adapters.media import StoredMedia
from vsl.adapters.redis_limits import RedisRateLimits
from vsl.adapters.redis_stores import RedisStatusCache, RedisWebhookMemory
from vsl.adapters.s3 import ObjectStore
from vsl.adapters.stepfunctions import TaskCallbacks
from vsl.domain.errors import VslError
from vsl.domain.job import SUBMISSION_SLACK, JobStatus

POLL_SECONDS = 60.0
FIRST_POLL = 47.0
SIGNED = "X-Amz-Signature"
PART_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to a job besides its own steps; times in virtual seconds after its start.

    `holds` keep something back until a moment: `after replicate.create` the answer to it, `before
    await_prediction` whatever that function does. `polls_at`
    are runs of the poller besides those of its schedule. `wait_ends_at` and `doubled` are those of
    `Execution`. `may_time_out`: the state's time limit is part of the scenario. `outages` are the
    stores that answer nothing but errors, from a moment to a moment.
    """

    name: str
    script: Script = field(default_factory=Script)
    cancel_at: tuple[float, ...] = ()
    stop_at: float | None = None
    polls: bool = True
    holds: tuple[tuple[str, float], ...] = ()
    may_time_out: bool = False
    polls_at: tuple[float, ...] = ()
    wait_ends_at: float | None = None
    doubled: frozenset[str] = frozenset()
    outages: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ends: frozenset[str] = frozenset({"succeeded"})

    def faults(self, effect: Effect) -> list[Fault]:
        """What can go wrong with the effect here.

        We send a submission once. Should something on the way double it, only a callback of
        the other prediction can tell: without any that is outside of what is promised.
        """
        calls_back = self.script.start_webhooks or self.script.end_webhooks
        return [
            fault
            for fault in effect.faults()
            if calls_back or not effect.submission or fault is not Fault.DUPLICATE
        ]


class _Signer:
    def url(self, s3_key: str, content_type: str | None = None) -> str:
        return f"https://bucket/{s3_key}?{SIGNED}=abc"

    def period(self, _at: datetime) -> int:
        return 0


class World:
    """A run of one scenario with one plan of faults."""

    callback_url: str | None = "https://client.example/ended"

    def __init__(self, scenario: Scenario, plan: Mapping[int, Fault] | None = None) -> None:
        self.scenario = scenario
        self.scheduler = Scheduler()
        self.effects = Effects(self.scheduler, plan or {})
        self.effects.holds = dict(scenario.holds)
        self.effects.outages = scenario.outages
        self.counted: Counter[str] = Counter()
        self.log: list[str] = []
        self.surprises: list[str] = []
        self.statuses: list[tuple[str, str | None]] = []
        self.repairs: list[str] = []
        self.answers: list[tuple[str, int]] = []
        self.results: Counter[str] = Counter()
        self.ended_at: float | None = None
        self.attached_by_webhook_during_submit = False

        self.tokens = StepFunctionsClient()
        self.dynamodb = DynamoDBClient(self._written)
        self.s3 = S3Client()
        self.announced = Announced(self._end_is_durable)
        self.announcements = AwsAnnouncements("https://sqs/callbacks", "default")
        aws: dict[str, tuple[object, str | None]] = {
            "dynamodb": (self.dynamodb, None),
            "stepfunctions": (self.tokens, None),
            "lambda": (LambdaClient(self._invoke_later), "TooManyRequestsException"),
            "s3": (self.s3, "SlowDown"),
            "sqs": (self.announced, "ThrottlingException"),
            "events": (self.announced, "ThrottlingException"),
        }
        self.clients = {
            name: Client(self.effects, name, target, code) for name, (target, code) in aws.items()
        }
        self.live = DynamoLiveJobs("jobs")
        self.callbacks = TaskCallbacks()
        self.books = MemoryAccounting()
        self.accounting = EffectfulAccounting(self.effects, self.books)
        self.redis = RedisClient(self.effects)
        redis: Any = self.redis
        self.limits = RedisRateLimits(str, redis)
        self.cache = RedisStatusCache(str, redis)
        self.memory = RedisWebhookMemory(str, redis)
        self.replicate = Replicate(self.scheduler, scenario.script, self._deliver)
        self.provider = ReplicateClient(self.effects, self.replicate)
        files: Any = Files(self.effects, self.replicate)
        self.media = StoredMedia(ObjectStore("media", self.clients["s3"], PART_SIZE), files)
        self.signer = _Signer()
        self.secret = WEBHOOK_SECRET

        outputs = {"num_outputs": scenario.script.outputs}
        given = make_job()
        self.job = make_job(
            parameters={**given.parameters, **outputs}, callback_url=self.callback_url
        )
        limit = timedelta(seconds=catalogue().find(self.job.model_id).timeout)
        self.deadline = (limit + SUBMISSION_SLACK).total_seconds()
        self.execution = Execution(
            arn=f"arn:aws:states:us-east-1:123456789012:execution:media-job:{self.job.job_id}",
            name=self.job.job_id,
            given={"job": self.job.document()},
            scheduler=self.scheduler,
            effects=self.effects,
            callbacks=self.tokens,
            invoke=lambda function, event: self.invoke(handlers.folder(function), event),
            on_end=self._execution_ended,
            definition=machine("media_job"),
            wait_ends_at=scenario.wait_ends_at,
            doubled=scenario.doubled,
        )

    def run(self) -> "World":
        """From the start of the execution until nothing more will happen."""
        handlers.activate(self)
        scheduler = self.scheduler
        self.execution.start()
        for at in self.scenario.cancel_at:
            scheduler.at(at, self.cancel)
        if self.scenario.stop_at is not None:
            scheduler.at(self.scenario.stop_at, self.execution.stop)
        for at in self.scenario.polls_at:
            scheduler.at(at, self.poll)
        if self.scenario.polls:
            scheduler.at(FIRST_POLL, self._poll_and_again, background=True)
        horizon = 12_000.0 if self.scenario.may_time_out else self.deadline + 1_500
        try:
            scheduler.run(horizon, self.at_rest)
        finally:
            self.effects.off = True
            scheduler.close()
        return self

    def at_rest(self) -> bool:
        """The job has ended, nothing but the poller's schedule is left, and nothing for it to do."""
        ended = bool(self.statuses) and JobStatus(self.statuses[-1][0]).terminal
        items = self.dynamodb.items.values()
        followed = self.scenario.polls and any("inFlightShard" in item for item in items)
        return (ended or not items) and not self.scheduler.busy() and not followed

    # --- actors --------------------------------------------------------------------------------

    def cancel(self) -> None:
        """The user cancels, and tries again while the answer is an error."""

        def ask() -> None:
            for _ in range(5):
                status = self.call("cancel_job", {"pathParameters": {"jobId": self.job.job_id}})
                self.answers.append(("cancel_job", status))
                if status < 500:
                    return
                self.scheduler.sleep(2)

        self.scheduler.spawn("User", ask)

    def poll(self) -> None:
        """One run of the poller's schedule; a run that fails is not repeated."""
        fault = self.effects.next("eventbridge", "poll_predictions")
        if fault in {Fault.CRASH_BEFORE, Fault.ERROR_BEFORE, Fault.HANG}:
            return
        self.invoke("poll_predictions", {})
        if fault is Fault.DUPLICATE:
            self.invoke("poll_predictions", {})

    def _poll_and_again(self) -> None:
        self.poll()
        self.scheduler.after(POLL_SECONDS, self._poll_and_again, background=True)

    def _deliver(self, event: dict[str, Any], answered: Callable[[int], None]) -> None:
        """A webhook on its way: an effect of the provider that may be lost, late or come twice."""

        def post() -> None:
            fault = self.effects.next("webhook", "post")
            if fault in {Fault.CRASH_BEFORE, Fault.ERROR_BEFORE, Fault.HANG}:
                self.scheduler.sleep(1)
                answered(502)
                return
            if fault is Fault.DELAY_BEFORE:
                self.effects.delays += 20
                self.scheduler.sleep(20)
            if fault is Fault.DUPLICATE:
                self.scheduler.spawn("Replicate", lambda: self.call("process_webhook", event))
            status = self.call("process_webhook", event)
            self.answers.append(("process_webhook", status))
            answered(
                502
                if fault in {Fault.CRASH_AFTER, Fault.ERROR_AFTER, Fault.DELAY_AFTER}
                else status
            )

        self.scheduler.spawn("Replicate", post)

    def _execution_ended(self, execution: Execution) -> None:
        """EventBridge tells the repair of every execution that ended badly, a second later."""
        if execution.status == "SUCCEEDED":
            return
        detail = {
            "executionArn": execution.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started_date(),
            "input": json.dumps(execution.given),
        }

        def tell() -> None:
            fault = self.effects.next("eventbridge", "repair_execution")
            if fault in {Fault.CRASH_BEFORE, Fault.ERROR_BEFORE, Fault.HANG}:
                self.scheduler.sleep(60)  # EventBridge keeps the event and tries again
            self._repair({"detail": detail})
            if fault is Fault.DUPLICATE:
                self._repair({"detail": detail})

        self.scheduler.spawn("EventBridge", tell, delay=1)

    def _invoke_later(self, function: str, payload: bytes) -> None:
        assert function == "repair_execution"
        event = json.loads(payload)
        self.scheduler.spawn("Lambda", lambda: self._repair(event), delay=1)

    def _repair(self, event: dict[str, Any]) -> None:
        """Lambda repeats an asynchronous invocation twice."""
        for pause in (60.0, 120.0, None):
            fiber = self.invoke("repair_execution", event)
            fiber.ended.wait()
            if fiber.error is None:
                self.repairs.append(fiber.value["result"])
                return
            if pause is not None:
                self.scheduler.sleep(pause)

    # --- Lambda --------------------------------------------------------------------------------

    def call(self, name: str, event: dict[str, Any]) -> int:
        """A request through API Gateway: its status, 502 when the function died."""
        fiber = self.invoke(name, event)
        fiber.ended.wait()
        status = 502 if fiber.error is not None else int(fiber.value["statusCode"])
        if name == "process_webhook" and status == 200:
            self.results[json.loads(fiber.value["body"])["result"]] += 1
        if status == 500:
            self.surprises.append(f"{name}: {fiber.value['body']}; {self.log[-1][:3000]}")
        return status

    def invoke(self, name: str, event: Any) -> Fiber:
        """Run a function on a fiber of its own; it ends in a JSON answer or in a StateError."""
        text = json.dumps(event)

        def work() -> Any:
            limit = self.scheduler.now + handlers.time_limit(name)
            fiber.limit = limit
            left = SimpleNamespace(
                aws_request_id="request",
                get_remaining_time_in_millis=lambda: int((limit - self.scheduler.now) * 1000),
            )
            try:
                return json.loads(json.dumps(handlers.handler(name)(json.loads(text), left)))
            except FiberKilled:
                raise
            except LambdaDiedError:
                raise StateError("Runtime.ExitError", "") from None
            except LambdaTimedOutError:
                raise StateError("Sandbox.Timedout", "") from None
            except VslError as error:
                cause = {"errorType": error.code, "errorMessage": str(error)}
                raise StateError(error.code, json.dumps(cause)) from None
            except Exception as error:
                self.surprises.append(f"{name}: {error!r}")
                cause = {"errorType": type(error).__name__, "errorMessage": str(error)}
                raise StateError(type(error).__name__, json.dumps(cause)) from error

        fiber = self.scheduler.spawn(name, work)
        return fiber

    # --- looking at it -------------------------------------------------------------------------

    def limits_held(self) -> list[str]:
        """Jobs that take a place among those of the user that run at once."""
        return self.redis.members(f"{{ratelimit:user:{self.job.user_id}:hour}}:running")

    def _end_is_durable(self) -> bool:
        row = self.books.rows.get(self.job.job_id)
        return bool(row and row.end and self.statuses and JobStatus(self.statuses[-1][0]).terminal)

    def running(self, name: str) -> bool:
        return any(fiber.name == name and not fiber.done for fiber in self.scheduler.fibers)

    def _written(self, item: Mapping[str, Any]) -> None:
        state = (item["status"]["S"], _result(item))
        if not self.statuses or self.statuses[-1] != state:
            self.statuses.append(state)
            if JobStatus(state[0]).terminal:
                self.ended_at = self.scheduler.now
        submitted = item.get("events", {}).get("M", {}).get("submitted")
        if submitted and submitted["M"].get("source") == {"S": "webhook"}:
            self.attached_by_webhook_during_submit |= self.running("submit_prediction")


def _result(item: Mapping[str, Any]) -> str | None:
    """The document of the end; the item keeps its logs beside it."""
    if "result" not in item:
        return None
    logs = item["logs"]["S"] if "logs" in item else None
    return json.dumps({**json.loads(item["result"]["S"]), "logs": logs})
