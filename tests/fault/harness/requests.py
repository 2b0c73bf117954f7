"""Requests to the API: the real API workflow in front of the jobs, clients that try again, time passing.

Each request is one execution of generate_media.asl.json. A client that was refused, or heard nothing,
repeats its request with the same key, at once or hours later, also after its job was deleted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.fault.harness import handlers
from tests.fault.harness.effects import Effect, Fault
from tests.fault.harness.replicate import Script
from tests.fault.harness.run import Run
from tests.fault.harness.states import Execution, StateError, machine
from tests.fault.harness.world import Scenario, World, deadline_of
from tests.support.jobs import make_job
from vsl.domain.api.limits import UserLimits
from vsl.domain.jobs.job import Job

USER = "user-1"
HOUR = 3_600.0
# A client that hears nothing, or 5xx, asks again so often, after so many seconds.
TRIES = 4
PAUSE = 3.0

_JOB_FUNCTIONS = ("SubmitPrediction", "AwaitPrediction", "StoreMedia", "FinalizeJob")
_JOB_CALLS = frozenset(f"lambda.{name}" for name in _JOB_FUNCTIONS)
_JOB_STEPS = frozenset(
    {"Replicate", "process_webhook", *(handlers.folder(name) for name in _JOB_FUNCTIONS)}
)


@dataclass(frozen=True, slots=True)
class Request:
    """A POST at a moment; a patient client tries again while it is told 5xx, 409 or nothing."""

    at: float
    key: str = "key"
    patient: bool = True


@dataclass(frozen=True, slots=True)
class RequestScenario(Scenario):
    """`requests` of one user; `deletes` are DELETEs of a key's job, tried until they are answered.

    `limits` are the user's own; `whole`: every effect is tried. `unstarted`: until then Step Functions
    refuses to start jobs.
    """

    requests: tuple[Request, ...] = (Request(0.0),)
    deletes: tuple[tuple[float, str], ...] = ()
    limits: UserLimits = field(default_factory=UserLimits)
    unstarted: float = 0.0
    whole: bool = False

    def faults(self, effect: Effect) -> list[Fault]:
        """Without those of steps that a job has anyway, which are tried where no request is: these are
        left to `whole` scenarios."""
        of_job = effect.actor in _JOB_STEPS or effect.operation in _JOB_CALLS
        return Scenario.faults(self, effect) if self.whole or not of_job else []


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client was told, and when it asked."""

    at: float
    key: str
    status: int
    body: Mapping[str, Any]

    @property
    def job_id(self) -> str | None:
        return self.body.get("jobId") if self.status == 202 else None


class RequestWorld(World):
    """A run of a scenario of requests."""

    scenario: RequestScenario

    def __init__(self, scenario: RequestScenario, plan: Mapping[int, Fault] | None = None) -> None:
        super().__init__(scenario, plan)
        self.books.limits = scenario.limits
        self.told: list[Answer] = []
        self.deleted: dict[str, float] = {}
        self._asked = 0

    @property
    def jobs_at_once(self) -> int:
        return 0

    @property
    def main(self) -> Run:
        return next(iter(self.runs.values()), _NO_RUN)

    def begin(self) -> None:
        for request in self.scenario.requests:
            self.scheduler.at(request.at, partial(self._ask, request))
        for at, key in self.scenario.deletes:
            self.scheduler.at(at, partial(self._delete, key))
        self.scheduler.after(HOUR, self._hourly, background=True)

    def horizon(self) -> float:
        last = max(request.at for request in self.scenario.requests)
        return last + max((at for at, _ in self.scenario.deletes), default=0.0) + 3 * HOUR

    def at_rest(self) -> bool:
        return super().at_rest() and not self._forgotten()

    def _forgotten(self) -> bool:
        """A job that PostgreSQL alone knows has yet to be ended."""
        return any(
            row.end is None and not row.deleted and job_id not in self.dynamodb.items
            for job_id, row in self.books.rows.items()
        )

    def _hourly(self) -> None:
        """The schedule of the repair."""
        if self._forgotten():  # else it would look, and find nothing
            self.invoke("repair_execution", {"forgotten": True})
        self.scheduler.after(HOUR, self._hourly, background=True)

    def stop(self) -> None:
        if self.main.execution is not None:
            self.main.execution.stop()

    # --- the client ----------------------------------------------------------------------------

    def _ask(self, request: Request) -> None:
        def ask() -> None:
            for _ in range(TRIES if request.patient else 1):
                asked = self.scheduler.now
                status, body = self._post(request.key)
                self.told.append(Answer(asked, request.key, status, body))
                if status < 500 and status != 409:
                    return
                self.scheduler.sleep(PAUSE)

        self.scheduler.spawn("Client", ask)

    def _post(self, key: str) -> tuple[int, Mapping[str, Any]]:
        """API Gateway: StartSyncExecution, and 503 for an execution that did not end well."""
        self._asked += 1
        given = make_job()
        body = {
            "userId": USER,
            "mediaType": given.media_type.value,
            "modelId": given.model_id,
            "parameters": {**given.parameters, "num_outputs": self.scenario.script.outputs},
            "callbackUrl": self.callback_url,
        }
        execution = Execution(
            arn=f"arn:aws:states:us-east-1:123456789012:express:api:{self._asked}",
            name=f"request-{self._asked}",
            given={
                "body": json.dumps(body),
                "idempotencyKey": key,
                "requestId": f"request-{self._asked}",
                "requestUrl": "https://api.example.com/local/generate-media",
            },
            scheduler=self.scheduler,
            effects=self.effects,
            tokens=self.tokens,
            invoke=lambda function, event: self.invoke(handlers.folder(function), event),
            on_end=lambda _execution: None,
            definition=machine("generate_media"),
            start_job=self._start_job,
        )
        execution.start()
        assert execution.fiber is not None
        execution.fiber.ended.wait()
        if execution.status != "SUCCEEDED":
            return 503, {}
        answer = execution.output
        told: dict[str, Any] = json.loads(answer["body"])
        return int(answer["statusCode"]), told

    def _start_job(self, name: str, given: Any) -> None:
        if self.scheduler.now < self.scenario.unstarted:
            raise StateError("StepFunctions.ThrottlingException", "")
        job = Job.from_document(given["job"])
        run = self._known(job)
        if run.execution is None:
            run.execution = self._job_execution(job)
            run.execution.given = given
            run.execution.start()
        assert run.execution.name == name

    def _delete(self, key: str) -> None:
        """The user deletes what came of the key, and tries again while it cannot be done yet."""

        def ask() -> None:
            job_id = next((it.job_id for it in self.told if it.key == key and it.job_id), None)
            for _ in range(10 if job_id else 0):
                status = self.call("delete_job", {"pathParameters": {"jobId": job_id}})
                self.answers.append(("delete_job", status))
                if job_id and status in {204, 404}:
                    self.deleted[job_id] = self.scheduler.now
                    return
                self.scheduler.sleep(30)

        self.scheduler.spawn("User", ask)

    def cached(self, job_id: str) -> str | None:
        """The status that Redis has of a job, without being an effect; of a deleted one it says so."""
        found = self.redis.value(f"job:status:{job_id}")
        return None if found == "null" else found

    def _known(self, job: Job) -> Run:
        return self.runs.setdefault(job.job_id, Run(job, None, deadline_of(job)))

    def _written(self, item: Mapping[str, Any]) -> None:
        job_id = item["jobId"]["S"]
        if job_id not in self.runs:
            row = self.books.rows.get(job_id)
            if row is None:
                return
            run = self._known(row.job)
            if row.end is not None:
                # Its first item is its end: the hourly repair comes an hour after the deadline.
                run.deadline += 2 * HOUR
        super()._written(item)


_NO_RUN = Run(make_job("none"), None, 0.0)


def scenario(name: str) -> RequestScenario:
    return next(found for found in REQUESTS if found.name == name)


_SLOW = Script(runs_for=40.0)

REQUESTS = (
    RequestScenario("request", whole=True),
    # The same key at once, twice in a moment, while the job runs, and when it is over.
    RequestScenario(
        "request, replayed",
        requests=tuple(Request(at) for at in (0.0, 0.01, 0.3, 4.0, 30.0, 700.0, 4_000.0)),
    ),
    # A refusal binds nothing: an hour later each key is a request like any other, and no more run at
    # once than the limit allows.
    RequestScenario(
        "refused, and again an hour later",
        _SLOW,
        requests=(
            *(Request(0.5 * number, f"key {number}", patient=False) for number in range(4)),
            *(Request(3_700.0, f"key {number}", patient=False) for number in range(4)),
        ),
        limits=UserLimits(2, 1),
    ),
    RequestScenario(
        "two at once, one place",
        _SLOW,
        requests=(Request(0.0, "one", patient=False), Request(0.0, "two", patient=False)),
        limits=UserLimits(5, 1),
    ),
    # Accepted and not started: what becomes of the key when its client comes back past the deadline.
    RequestScenario(
        "not started, and again past the deadline",
        requests=(Request(0.0, patient=False), Request(1_000.0), Request(5_000.0)),
        unstarted=500.0,
        ends=frozenset({"succeeded", "failed"}),
    ),
    # Too little of its time is left: it is not begun any more, and its key is free once it is ended.
    RequestScenario(
        "not started, and again too late",
        requests=(Request(0.0, patient=False), *(Request(at) for at in (290.0, 310.0, 600.0))),
        unstarted=305.0,
        ends=frozenset({"succeeded", "failed"}),
    ),
    # There is money for one at a time, as a job costs less than is held for it; a refusal for want of
    # money binds nothing either.
    RequestScenario(
        "two at once, money for one",
        requests=(
            Request(0.0, "one"),
            Request(0.0, "two"),
            Request(60.0, "two"),
            Request(61.0, "three"),
        ),
        budget=1.75,
    ),
    RequestScenario(
        "deleted, and replayed",
        requests=(Request(0.0), Request(60.0), Request(61.0, "another"), Request(3_000.0)),
        deletes=((20.0, "key"),),
    ),
    # Nothing is left of a job that was stopped and deleted while its files were on their way.
    RequestScenario(
        "stopped while it stores, and deleted",
        Script(outputs=2),
        stop_at=5.02,
        deletes=((6.0, "key"),),
        ends=frozenset({"failed", "succeeded"}),
    ),
)

# What every run of the tests goes through; `make faults` takes all.
CORE_REQUESTS = tuple(
    map(scenario, ("request, replayed", "two at once, one place", "two at once, money for one"))
)
