"""The whole surroundings of some jobs in one process: Step Functions, Lambda, stores, provider, actors."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from tests.fault.harness import handlers
from tests.fault.harness.catalogue import MODEL, catalogue
from tests.fault.harness.clients import (
    Announced,
    Client,
    LambdaClient,
    Lease,
    RedisClient,
    StepFunctionsClient,
)
from tests.fault.harness.effects import (
    RETRIED_AFTER,
    Effect,
    Effects,
    Fault,
    LambdaDiedError,
    LambdaTimedOutError,
)
from tests.fault.harness.job_repository import EffectfulPostgres, MemoryJobRepository
from tests.fault.harness.replicate import (
    WEBHOOK_SECRET,
    Files,
    Replicate,
    ReplicateClient,
    Script,
)
from tests.fault.harness.run import Run
from tests.fault.harness.states import SUBSTITUTED, Execution, StateError, machine
from tests.fault.harness.virtual_time import Fiber, FiberKilled, Scheduler
from tests.support.fakes import START
from tests.support.jobs import make_job
from tests.support.memory_dynamodb import DynamoDBClient, Tables
from tests.support.memory_s3 import S3Client
from vsl.adapters.aws.publishing import AwsEventPublisher
from vsl.adapters.aws.step_functions import StepFunctionsTaskTokens
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.adapters.media.stored_media import StoredMedia
from vsl.adapters.redis.rate_limits import RedisRateLimits
from vsl.adapters.redis.slots import RedisSlots
from vsl.adapters.redis.stores import RedisStatusCache, RedisWebhookDeduplication
from vsl.adapters.s3.object_removal import ObjectRemoval
from vsl.adapters.s3.objects import ObjectStore
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import SUBMISSION_SLACK, Job
from vsl.domain.money.amounts import micro_dollars
from vsl.domain.money.budgets import BudgetDefaults
from vsl.domain.money.pricing import estimate, price_terms

POLL_SECONDS = 60.0
FIRST_POLL = 47.0
SIGNED = "X-Amz-Signature"
PART_SIZE = 64 * 1024
# Attributes of an item that versions before this one did not write.
NEWER = frozenset({"intent", "search", "settledId", "price"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to a job besides its own steps; times in virtual seconds after its start.

    `companions` are further jobs of the same user that ask for the same, each begun so many seconds
    after the one before it (`apart`); what is said of a job below is said of the first alone.

    `holds` keep something back until a moment: `after replicate.create` the answer to it, `before
    await_prediction` whatever that function does. `polls_at` are runs of the poller besides those of
    its schedule, which begins at `polls_from`. `wait_ends_at` and `doubled` are those of `Execution`.
    `may_time_out`: the state's time limit is part of the scenario, `late` an end long after the
    deadline. `older_at`: up to then a version before this one was at work, so its items lack what that
    version did not write. `outages` are the stores that answer nothing but errors, from a moment to a
    moment. `budget` is the user's for the day, in what is held for one job. We
    think that the provider takes `creations_per_minute`; Redis loses all that it holds at
    `redis_emptied_at`.
    """

    name: str
    script: Script = field(default_factory=Script)
    model: str = MODEL
    cancel_at: tuple[float, ...] = ()
    stop_at: float | None = None
    polls_from: float = FIRST_POLL
    holds: tuple[tuple[str, float], ...] = ()
    may_time_out: bool = False
    polls_at: tuple[float, ...] = ()
    wait_ends_at: float | None = None
    doubled: frozenset[str] = frozenset()
    outages: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    creations_per_minute: int = 600
    redis_emptied_at: float | None = None
    companions: int = 0
    late: bool = False
    apart: float = 0.1
    older_at: float | None = None
    budget: float = 100.0
    ends: frozenset[str] = frozenset({"succeeded"})

    def faults(self, effect: Effect) -> list[Fault]:
        """What can go wrong with the effect here.

        We send a submission once. Should something on the way double it, only a callback of
        the other prediction can tell: without any that is outside of what is promised.
        """
        unseen = not (self.script.start_webhooks or self.script.end_webhooks)
        never = {Fault.DUPLICATE} if effect.submission and unseen else set()
        if self.older_at is not None and 0 <= self.older_at - effect.at <= RETRIED_AFTER:
            never.add(Fault.RETRIED)  # the version that sent it is the one that sends it again
        return [fault for fault in effect.faults() if fault not in never]


def deadline_of(job: Job) -> float:
    """In virtual seconds, as the job's own validation reckons it."""
    limit = timedelta(seconds=catalogue().find(job.model_id).timeout) + SUBMISSION_SLACK
    return (job.created_at - START + limit).total_seconds()


def hold_for(job: Job) -> int:
    """In micro-dollars, as the job's own validation prices it."""
    model = catalogue().find(job.model_id)
    cost, terms = estimate(model, job.parameters), price_terms(model, job.parameters)
    return micro_dollars(replace(job, estimated_cost=cost, price=terms).hold)


# What is held for a job with one output, in micro-dollars.
HOLD = hold_for(make_job())


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
        self.repairs: list[str] = []
        self.answers: list[tuple[str, int]] = []
        self.results: Counter[str] = Counter()
        self.attached_by_webhook_during_submit = False

        self.tokens = StepFunctionsClient()
        self.dynamodb = DynamoDBClient(self._written)
        self.s3 = S3Client()
        self.published = Announced(self._end_is_durable)
        self.publisher = AwsEventPublisher("https://sqs/callbacks", "default")
        self.keys = DynamoDBClient(key="id")
        tables: Any = Tables({"jobs": self.dynamodb, "idempotency": self.keys})
        aws: dict[str, tuple[object, str]] = {
            "dynamodb": (tables, "ProvisionedThroughputExceededException"),
            "stepfunctions": (self.tokens, "ThrottlingException"),
            "lambda": (LambdaClient(self._invoke_later), "TooManyRequestsException"),
            "s3": (self.s3, "SlowDown"),
            "sqs": (self.published, "ThrottlingException"),
            "events": (self.published, "ThrottlingException"),
        }
        self.clients = {
            name: Client(self.effects, name, target, code) for name, (target, code) in aws.items()
        }
        self.tracking = DynamoTrackingStore("jobs")
        self.task_tokens = StepFunctionsTaskTokens()
        self.books = MemoryJobRepository()
        self.repository = EffectfulPostgres(self.effects, self.books)
        self.budgets = EffectfulPostgres(self.effects, self.books.money)
        self.redis = RedisClient(self.effects)
        redis: Any = self.redis
        self.limits = RedisRateLimits(str, redis)
        self.cache = RedisStatusCache(str, redis)
        self.deduplication = RedisWebhookDeduplication(str, redis)
        self.replicate = Replicate(self.scheduler, scenario.script, self._deliver)
        self.provider = ReplicateClient(self.effects, self.replicate)
        files: Any = Files(self.effects, self.replicate)
        self.lease = Lease(self.scheduler)
        self.dispatching_lease = Lease(self.scheduler)
        self.slots = RedisSlots(str, scenario.creations_per_minute, redis)
        self.erasure = self.repository
        self.objects = ObjectRemoval("media", self.clients["s3"])
        self.media = StoredMedia(ObjectStore("media", self.clients["s3"], PART_SIZE), files)
        self.signer = _Signer()
        self.secret = WEBHOOK_SECRET

        self.runs: dict[str, Run] = {}
        for number in range(self.jobs_at_once):
            made = self._run(number)
            self.runs[made.job.job_id] = made
        self.books.money.defaults = BudgetDefaults(user_day=self.budget)

    @property
    def budget(self) -> int:
        return int(self.scenario.budget * HOLD)

    @property
    def jobs_at_once(self) -> int:
        """Those that are started as such, without a request."""
        return 1 + self.scenario.companions

    @property
    def main(self) -> Run:
        return next(iter(self.runs.values()))

    def _run(self, number: int) -> Run:
        scenario = self.scenario
        outputs = {"num_outputs": scenario.script.outputs}
        at = START + timedelta(seconds=number * scenario.apart)
        given = make_job()
        job = make_job(
            f"job {number}",
            at,
            model_id=scenario.model,
            media_type=catalogue().find(scenario.model).media_type,
            parameters={**given.parameters, **outputs},
            callback_url=self.callback_url,
        )
        if scenario.older_at is not None:
            job = replace(job, price=None, call=None)
        wait = (scenario.wait_ends_at, scenario.doubled) if number == 0 else (None, frozenset())
        return Run(job, self._job_execution(job, *wait), deadline_of(job))

    def _job_execution(
        self,
        job: Job,
        wait_ends_at: float | None = None,
        doubled: frozenset[str] = frozenset(),
    ) -> Execution:
        return Execution(
            arn=f"{SUBSTITUTED['MediaJobExecutionArn']}:{job.job_id}",
            name=job.job_id,
            given={"job": job.document()},
            scheduler=self.scheduler,
            effects=self.effects,
            tokens=self.tokens,
            invoke=lambda function, event: self.invoke(handlers.folder(function), event),
            on_end=self._execution_ended,
            definition=machine("media_job"),
            wait_ends_at=wait_ends_at,
            doubled=doubled,
        )

    @property
    def job(self) -> Job:
        return self.main.job

    @property
    def execution(self) -> Execution:
        assert self.main.execution is not None
        return self.main.execution

    @property
    def ended_at(self) -> float | None:
        return self.main.ended_at

    def run(self) -> "World":
        """From the start of the executions until nothing more will happen."""
        handlers.activate(self)
        scheduler = self.scheduler
        self.begin()
        for at in self.scenario.cancel_at:
            scheduler.at(at, self.cancel)
        if self.scenario.stop_at is not None:
            scheduler.at(self.scenario.stop_at, self.stop)
        if self.scenario.redis_emptied_at is not None:
            scheduler.at(self.scenario.redis_emptied_at, self.redis.empty)
        if self.scenario.older_at is not None:
            scheduler.at(self.scenario.older_at, lambda: self.dynamodb.remove(NEWER))
        for at in self.scenario.polls_at:
            scheduler.at(at, self.poll)
        scheduler.at(self.scenario.polls_from, self._poll_and_again, background=True)
        try:
            scheduler.run(self.horizon(), self.at_rest)
        finally:
            self.effects.off = True
            scheduler.close()
        return self

    def begin(self) -> None:
        for number, run in enumerate(self.runs.values()):
            assert run.execution is not None
            if number:
                self.scheduler.at(number * self.scenario.apart, run.execution.start)
            else:
                run.execution.start()

    def horizon(self) -> float:
        """When the run is given up."""
        if self.scenario.may_time_out or self.scenario.late:
            return 12_000.0
        return max(run.deadline for run in self.runs.values()) + 1_500

    def at_rest(self) -> bool:
        """The jobs have ended, nothing but the poller's schedule is left, and nothing for it to do."""
        items = self.dynamodb.items
        ended = all(run.ended or run.job.job_id not in items for run in self.runs.values())
        followed = any("inFlightShard" in it for it in items.values())
        return ended and not self.scheduler.busy() and not followed

    # --- actors --------------------------------------------------------------------------------

    def stop(self) -> None:
        """An operator stops the execution."""
        self.execution.stop()

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
        if any("inFlightShard" in item for item in self.dynamodb.items.values()):
            self.poll()  # else it would look, and find nothing
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
        event = json.loads(payload)
        work = {
            "repair_execution": lambda: self._repair(event),
            "poll_predictions": lambda: self.invoke("poll_predictions", event),
            "dispatch_queue": lambda: self._dispatch(event),
        }[function]
        self.scheduler.spawn("Lambda", work, delay=1)

    def _dispatch(self, event: dict[str, Any]) -> None:
        """Lambda repeats an asynchronous invocation twice."""
        for pause in (60.0, 120.0, None):
            fiber = self.invoke("dispatch_queue", event)
            fiber.ended.wait()
            if fiber.error is None or pause is None:
                return
            self.scheduler.sleep(pause)

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

    def _end_is_durable(self, job_id: str) -> bool:
        row = self.books.rows.get(job_id)
        return bool(row and row.end and self.runs[job_id].ended)

    def running(self, name: str) -> bool:
        return any(fiber.name == name and not fiber.done for fiber in self.scheduler.fibers)

    def _written(self, item: Mapping[str, Any]) -> None:
        self.runs[item["jobId"]["S"]].written(item, self.scheduler.now)
        submitted = item.get("events", {}).get("M", {}).get("submitted")
        if submitted and submitted["M"].get("source") == {"S": "webhook"}:
            self.attached_by_webhook_during_submit |= self.running("submit_prediction")
