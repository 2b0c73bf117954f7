"""Webhooks do not arrive: the poller finds every end, in virtual time.

The use case is the product's own (rounds, list pages, pace, hand-on); around it stand stores and a
provider in memory, and a clock that moves by what each call is assumed to take on AWS.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unittest.mock import patch

from benchmarks.scale.load import assumed, facts, job_seconds, parameter
from tests.support.jobs import make_job
from tests.support.template import resource
from vsl.domain.jobs.job import JobEvent, JobStatus, WebhookReceipt
from vsl.domain.jobs.tracked_job import Recorded, TrackedJob
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus
from vsl.runtime.lone_run import MOST_RUNS, RESERVE
from vsl.services.submission.stop_prediction import StopPrediction
from vsl.services.submission.submit_prediction import FIRST_CHECK_MARGIN
from vsl.services.waiting import poll_predictions as module
from vsl.services.waiting.check_job import CheckJob
from vsl.services.waiting.complete_wait import CompleteWait
from vsl.services.waiting.look_ahead import GROUP, LookAhead
from vsl.services.waiting.pace import LIST_PAGE, POLLERS_SHARE, Pace, PacedProvider
from vsl.services.waiting.poll_predictions import BATCH, WORKERS, PollPredictions
from vsl.services.waiting.record_outcome import RecordOutcome

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPIRES_AFTER = 3600.0
# Jobs a second, and for how many minutes no webhook arrives.
OUTAGES = {10: 30, 100: 10}
SCHEDULE = 60.0
_STARTS = 1.0  # a run that was handed on begins so much later
_POST = 0.3  # from our intent to the provider's time of creation


@dataclass
class Clock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    @property
    def seconds(self) -> float:
        return (self.at - START).total_seconds()


@dataclass
class Found:
    """What came of an outage: how long after its end each prediction was found, in seconds."""

    rate: int
    minutes: int
    waits: list[float] = field(default_factory=list)
    reads: int = 0
    runs: int = 0

    @property
    def longest(self) -> float:
        return max(self.waits)

    @property
    def expired(self) -> int:
        return sum(wait > EXPIRES_AFTER for wait in self.waits)

    def longest_of(self, part: slice) -> float:
        return max(self.waits[part])

    @property
    def reads_a_minute(self) -> float:
        return self.reads / self.minutes


class _Jobs:
    """The tracking items: submitted evenly, each done after the model's time, none told of its end."""

    def __init__(self, clock: Clock, rate: int, seconds: float, found: Found) -> None:
        self.clock, self.rate, self.found = clock, rate, found
        self.count = round(seconds * rate)
        model = facts()["jobs"]["image"]["model"]
        self.runs_for = job_seconds(model)
        self.first_check = self.runs_for + FIRST_CHECK_MARGIN.total_seconds()
        self._next = 0
        self._due: list[tuple[datetime, str]] = []
        self._items: dict[str, TrackedJob] = {}
        self._template = TrackedJob(make_job(), JobStatus.PROCESSING, START, START, attempt=1)

    def submitted(self, number: int) -> datetime:
        return START + timedelta(seconds=number / self.rate)

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        self.clock.passes(8 * assumed("dynamodbMilliseconds") / 1000)
        while self._next < self.count:
            at = self.submitted(self._next) + timedelta(seconds=self.first_check)
            if at > now:
                break
            self._arrives(self._next, at)
            self._next += 1
        return [job_id for _, job_id in heapq.nsmallest(limit, self._due)]

    def _arrives(self, number: int, at: datetime) -> None:
        job_id, began = f"job-{number}", self.submitted(number)
        job = replace(self._template.job, job_id=job_id, created_at=began)
        self._items[job_id] = replace(
            self._template,
            job=job,
            deadline=job.deadline,
            intent_at=began,
            replicate_id=f"p-{number}",
            task_token="token",  # noqa: S106 - a stand-in
        )
        heapq.heappush(self._due, (at, job_id))

    def get_many(self, job_ids: Sequence[str]) -> Mapping[str, TrackedJob]:
        self.clock.passes(assumed("dynamodbMilliseconds") / 1000 / WORKERS)
        return {job_id: self._items[job_id] for job_id in job_ids}

    def record_outcome(
        self,
        job_id: str,
        outcome: Outcome,
        at: datetime,
        _receipt: WebhookReceipt | None = None,
        _attempt: int | None = None,
    ) -> Recorded:
        mark = JobEvent("outcome_recorded", at, "poller")
        item = replace(self._items[job_id], outcome=outcome, events=(mark,))
        self._items[job_id] = item
        ended = item.intent_at + timedelta(seconds=_POST + self.runs_for) if item.intent_at else at
        self.found.waits.append((at - ended).total_seconds())
        return Recorded(item, first=True)

    def record_token_completed(
        self, job_id: str, _token: str, _attempt: int, _at: datetime
    ) -> None:
        del self._items[job_id]

    def settled(self) -> None:
        """Those that were released leave the index."""
        self._due = [each for each in self._due if each[1] in self._items]
        heapq.heapify(self._due)

    @property
    def open(self) -> bool:
        return self._next < self.count or bool(self._items)


class _Provider:
    """The list has them all, a hundred on a page, several pages read at once."""

    def __init__(self, jobs: _Jobs, found: Found) -> None:
        self._jobs, self._found = jobs, found

    def list_since(self, after: datetime, before: datetime | None = None) -> Iterator[Prediction]:
        rate = self._jobs.rate
        created = timedelta(seconds=_POST)
        until = min(before or self._jobs.clock.now(), self._jobs.clock.now())
        newest = int((until - created - START).total_seconds() * rate)
        number = min(newest, self._jobs.count - 1)
        sent = 0
        while number >= 0 and self._jobs.submitted(number) + created > after:
            if sent % LIST_PAGE == 0:
                self._reads(parallel=min(WORKERS, BATCH // GROUP))
            yield self._prediction(number)
            sent += 1
            number -= 1
        if sent == 0:
            self._reads(parallel=1)

    def get(self, replicate_id: str) -> Prediction:
        self._reads(parallel=WORKERS)
        return self._prediction(int(replicate_id.removeprefix("p-")))

    def _reads(self, *, parallel: int) -> None:
        self._found.reads += 1
        self._jobs.clock.passes(assumed("replicateMilliseconds") / 1000 / parallel)

    def _prediction(self, number: int) -> Prediction:
        ended = self._jobs.submitted(number) + timedelta(seconds=_POST + self._jobs.runs_for)
        over = ended <= self._jobs.clock.now()
        status = PredictionStatus.SUCCEEDED if over else PredictionStatus.PROCESSING
        return Prediction(f"p-{number}", status, output="https://x" if over else None)


class _Tokens:
    """Where a job is woken: what a whole check takes is counted here, once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        memory = int(resource("PollPredictionsFunction")["Properties"]["MemorySize"])
        share = min(1.0, memory / assumed("fullVcpuMegabytes"))
        busy = assumed("pollerMilliseconds") / 1000 / share
        waits = 2 * assumed("dynamodbMilliseconds") + assumed("stepfunctionsMilliseconds")
        self._seconds = max(busy, waits / 1000 / WORKERS)

    def succeed(self, _token: str, _output: Mapping[str, Any]) -> None:
        self._clock.passes(self._seconds)


class _Inline(Executor):
    """One thread: the clock counts side by side what is done one after the other."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def submit(self, work: Callable[..., Any], /, *given: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*given, **more))
        return future


class _Metrics:
    def count(self, *_: Any, **__: Any) -> None: ...

    def seconds(self, *_: Any, **__: Any) -> None: ...


@cache
def outage(rate: int, minutes: int) -> Found:
    """No webhook for so many minutes; the poller runs until it has found all."""
    clock, found = Clock(), Found(rate, minutes)
    jobs = _Jobs(clock, rate, minutes * 60, found)
    provider: Any = _Provider(jobs, found)
    per_second = parameter("ProviderReadsPerMinute") * POLLERS_SHARE / 60
    pace = Pace(per_second, clock, clock.passes)
    timeout = timedelta(seconds=float(resource("PollPredictionsFunction")["Properties"]["Timeout"]))

    def refuse(*given: object) -> None:
        raise AssertionError(given)

    unexpected: Any = refuse

    tracking: Any = jobs
    tokens: Any = _Tokens(clock)
    metrics: Any = _Metrics()
    paced = PacedProvider(provider, pace)
    complete_wait = CompleteWait(tracking, tokens, clock)
    check = CheckJob(
        tracking=tracking,
        provider=paced,
        clock=clock,
        metrics=metrics,
        report=unexpected,
        repair=unexpected,
        rejoin=unexpected,
        grace=timedelta(seconds=90),
        adopt=unexpected,
        stop=StopPrediction(paced),
        record_outcome=RecordOutcome(tracking, clock, metrics, complete_wait),
        complete_wait=complete_wait,
    )
    poll_predictions = PollPredictions(tracking, clock, metrics, LookAhead(paced), check)
    due = jobs.due

    def due_of_a_round(now: datetime, limit: int) -> Sequence[str]:
        jobs.settled()
        return due(now, limit)

    with (
        patch.object(module, "ThreadPoolExecutor", _Inline),
        patch.object(jobs, "due", due_of_a_round),
    ):
        in_a_row = 0
        while jobs.open:
            counts = poll_predictions(clock.now() + timeout - RESERVE)
            found.runs += 1
            in_a_row += 1
            if counts["left"] and in_a_row < MOST_RUNS:
                clock.passes(_STARTS)
            else:
                in_a_row = 0
                clock.passes(SCHEDULE - clock.seconds % SCHEDULE)
    return found
