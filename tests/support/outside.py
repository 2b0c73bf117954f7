"""Stand-ins for the outside of the use cases, each with the switches its tests need."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from vsl.domain.admission import Admission, Limits, RecentJob, UserLimits, Verdict
from vsl.domain.job import FinishedJob, Job, Waste
from vsl.domain.prediction import Prediction, PredictionStatus
from vsl.domain.status import StatusDocument, finished_document

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class SteppedClock:
    """A clock that only moves when it is told to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class RecordingMetrics:
    counted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    timed: list[tuple[str, float]] = field(default_factory=list)

    def count(self, name: str, /, **dimensions: str) -> None:
        self.counted.append((name, dimensions))

    def seconds(self, name: str, value: float, /, **_dimensions: str) -> None:
        self.timed.append((name, value))

    def record(self, values: Mapping[str, float], /, **_dimensions: str) -> None:
        self.timed.extend(values.items())

    def names(self) -> list[str]:
        return [name for name, _ in self.counted]


@dataclass
class RecordingCallbacks:
    """Task tokens as Step Functions keeps them: the first answer counts."""

    answers: list[tuple[str, str, Any]] = field(default_factory=list)

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> None:
        self.answers.append((task_token, "succeeded", output))

    def fail(self, task_token: str, error: str, cause: str) -> None:
        self.answers.append((task_token, error, cause))

    def results(self) -> list[tuple[str, str]]:
        return [(token, result) for token, result, _ in self.answers]


class FakeProvider:
    """Replicate in memory: it remembers and never forgets what it accepted.

    `on_create` runs inside create, after the prediction exists: raise there, and the answer is
    lost although the provider accepted. `before_create` runs before anything exists.
    """

    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock
        self.predictions: dict[str, Prediction] = {}
        self.canceled: list[str] = []
        self.before_create: Callable[[], None] = lambda: None
        self.on_create: Callable[[Prediction], None] = lambda _: None
        self.before_read: Callable[[], None] = lambda: None
        self._numbers = itertools.count(1)

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        self.before_create()
        prediction = Prediction(
            id=f"prediction{next(self._numbers):016d}",
            status=PredictionStatus.STARTING,
            webhook=webhook,
            created_at=self.clock.now(),
        )
        self.predictions[prediction.id] = prediction
        self.on_create(prediction)
        return prediction

    def get(self, replicate_id: str) -> Prediction | None:
        self.before_read()
        return self.predictions.get(replicate_id)

    def list_since(self, created_after: datetime) -> Iterator[Prediction]:
        self.before_read()
        for prediction in reversed(self.predictions.values()):
            if prediction.created_at is not None and prediction.created_at > created_after:
                yield prediction

    def cancel(self, replicate_id: str) -> Prediction | None:
        self.before_read()
        prediction = self.predictions.get(replicate_id)
        if prediction is None or prediction.status.terminal:
            return prediction
        self.canceled.append(replicate_id)
        return self.end(replicate_id, PredictionStatus.CANCELED)

    def webhook_secret(self) -> str:
        return "whsec_" + "c2VjcmV0" * 4

    def end(
        self,
        replicate_id: str,
        status: PredictionStatus = PredictionStatus.SUCCEEDED,
        error: str | None = None,
    ) -> Prediction:
        succeeded = status is PredictionStatus.SUCCEEDED
        ended = replace(
            self.predictions[replicate_id],
            status=status,
            error=error,
            output=[f"https://replicate.delivery/{replicate_id}/out-0.webp"] if succeeded else None,
            metrics={"predict_time": 1.5, "total_time": 2.0},
            completed_at=self.clock.now(),
        )
        self.predictions[replicate_id] = ended
        return ended

    def alive(self) -> list[str]:
        """Predictions that were neither canceled nor failed: those that are paid for."""
        return [
            prediction.id
            for prediction in self.predictions.values()
            if prediction.status not in {PredictionStatus.CANCELED, PredictionStatus.FAILED}
        ]


class ForgetfulMemory:
    """The webhook hint with Redis there (`remembers`) or gone."""

    def __init__(self, *, remembers: bool = True) -> None:
        self.remembers = remembers
        self.ids: set[str] = set()

    def seen(self, replicate_id: str) -> bool:
        return self.remembers and replicate_id in self.ids

    def remember(self, replicate_id: str) -> None:
        self.ids.add(replicate_id)


class MemoryAccounting:
    """PostgreSQL's rules in memory: a job ends once, and repeating its end changes nothing."""

    def __init__(self) -> None:
        self.created: dict[str, Job] = {}
        self.finished: dict[str, FinishedJob] = {}
        self.waste: dict[str, Waste] = {}

    def create_job(self, job: Job, _execution_arn: str | None) -> bool:
        return self.created.setdefault(job.job_id, job) is job

    def finish_job(self, finished: FinishedJob) -> StatusDocument | None:
        earlier = self.finished.setdefault(finished.job.job_id, finished)
        for waste in finished.waste:
            self.record_waste(finished.job.job_id, waste)
        return finished_document(earlier) if earlier.status is finished.status else None

    def record_waste(self, _job_id: str, waste: Waste) -> None:
        known = self.waste.get(waste.replicate_id)
        if known is None or known.cost is None:
            self.waste[waste.replicate_id] = waste

    def status(self, job_id: str) -> StatusDocument | None:
        finished = self.finished.get(job_id)
        return finished_document(finished) if finished else None

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        job = self.created.get(job_id)
        return job.parameters if job else None

    def recent_jobs(self, user_id: str, since: datetime) -> Sequence[RecentJob]:
        return [
            RecentJob(
                job.job_id, job.created_at, None if job.job_id in self.finished else job.deadline
            )
            for job in sorted(self.created.values(), key=lambda job: job.job_id)
            if job.user_id == user_id and job.created_at > since
        ]

    def user_limits(self, _user_id: str) -> UserLimits:
        return UserLimits()


class NoLimits:
    """Redis with a place for everybody: what it gives back is kept."""

    def __init__(self) -> None:
        self.released: list[tuple[str, str]] = []
        self.withdrawn: list[tuple[str, str]] = []

    def admit(
        self,
        job: Job,
        now: datetime,
        default: Limits,
        own: Callable[[], Limits | None],
        history: Callable[[], Sequence[RecentJob]],
    ) -> tuple[Admission, Limits]:
        return Admission(Verdict.ADMITTED, 1, 1, 3600), default

    def release(self, user_id: str, job_id: str) -> None:
        self.released.append((user_id, job_id))

    def withdraw(self, user_id: str, job_id: str) -> None:
        self.withdrawn.append((user_id, job_id))


@dataclass
class RecordingAnnouncements:
    """What was told, as (status, callback); `before` may raise, as a service that is away does."""

    told: list[tuple[str, bool]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def ended(self, document: StatusDocument, *, callback: bool) -> None:
        self.before()
        self.told.append((document["status"], callback))


class MemoryCache:
    def __init__(self) -> None:
        self.documents: dict[str, StatusDocument] = {}
        self.closed: set[str] = set()

    def get(self, job_id: str) -> StatusDocument | None:
        return self.documents.get(job_id)

    def put(self, document: StatusDocument) -> None:
        if document["jobId"] not in self.closed:
            self.documents[document["jobId"]] = document

    def close(self, job_id: str) -> None:
        self.closed.add(job_id)
        self.documents.pop(job_id, None)


class PlainSigner:
    """Addresses that show what was signed and how."""

    def url(self, s3_key: str, content_type: str | None = None) -> str:
        return f"signed:{s3_key}?type={content_type}"

    def period(self, at: datetime) -> int:
        return int(at.timestamp()) // 1800


@dataclass
class Secrets:
    """Webhook secrets; `rotated` are those that came meanwhile, `asked` how often they were wanted."""

    known: list[str]
    rotated: list[str] = field(default_factory=list)
    asked: int = 0

    def current(self) -> list[str]:
        return self.known

    def renewed(self) -> list[str]:
        self.asked += 1
        return self.rotated
