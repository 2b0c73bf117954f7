"""Stand-ins for the outside of the use cases, each with the switches its tests need."""

import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.memory_money import MemoryMoney
from vsl.domain.api.limits import Admission, Limits, RecentJob, UserLimits, Verdict
from vsl.domain.errors import IdempotencyKeyReused, JobDeleted, RequestInProgress
from vsl.domain.jobs.execution import ExecutionState
from vsl.domain.jobs.flow import Flow
from vsl.domain.jobs.idempotency import CLAIM_SECONDS, KEPT_SECONDS, Claim, KeyRecord, KeyState
from vsl.domain.jobs.job import FinishedJob, Job, OrphanedPrediction
from vsl.domain.jobs.place import Place
from vsl.domain.jobs.status import AskedDocument, StatusDocument, asked_document, finished_document
from vsl.domain.predictions.prediction import Prediction, PredictionStatus
from vsl.services.ports.jobs import Creation
from vsl.services.ports.pacing import Outlook

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
    timed_by: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def count(self, name: str, /, **dimensions: str) -> None:
        self.counted.append((name, dimensions))

    def seconds(self, name: str, value: float, /, **dimensions: str) -> None:
        self.timed.append((name, value))
        self.timed_by.append((name, dimensions))

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


class FakeExecutions:
    """Step Functions, with these executions running, these never begun, and all others over."""

    def __init__(self, running: Collection[str] = (), absent: Collection[str] = ()) -> None:
        self._running = running
        self._absent = absent

    def state(self, execution_arn: str) -> ExecutionState:
        if execution_arn in self._running:
            return ExecutionState.RUNNING
        return ExecutionState.ABSENT if execution_arn in self._absent else ExecutionState.OVER


NO_EXECUTIONS = FakeExecutions()


class FakeProvider:
    """Replicate in memory: it remembers and never forgets what it accepted.

    `on_create` runs inside create, after the prediction exists: raise there, and the answer is
    lost although the provider accepted. `before_create` runs before anything exists, `before_read`
    before each reading. A list tells webhooks only if `lists_webhooks`. `asked` are the ids that
    were asked for one by one.
    """

    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock
        self.predictions: dict[str, Prediction] = {}
        self.canceled: list[str] = []
        self.before_create: Callable[[], None] = lambda: None
        self.on_create: Callable[[Prediction], None] = lambda _: None
        self.before_read: Callable[[], None] = lambda: None
        self.asked: list[str] = []
        self.listed = 0
        self.lists_webhooks = False
        self._numbers = itertools.count(1)

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        self.before_create()
        prediction = self._accept(reference, provider_input, webhook, self.clock.now())
        self.on_create(prediction)
        return prediction

    def others(
        self, count: int, since: datetime, seconds: float, text: str = "a lighthouse"
    ) -> list[Prediction]:
        """Predictions of another program for the same model, evenly over so many seconds."""
        return [
            self._accept(
                "black-forest-labs/flux-schnell",
                {"prompt": text},
                f"https://other.example/{number}",
                since + timedelta(seconds=seconds * number / count),
            )
            for number in range(count)
        ]

    def _accept(
        self,
        reference: str,
        provider_input: Mapping[str, Any],
        webhook: str | None,
        created_at: datetime,
    ) -> Prediction:
        model, _, version = reference.partition(":")
        prediction = Prediction(
            id=f"prediction{next(self._numbers):016d}",
            status=PredictionStatus.STARTING,
            webhook=webhook,
            created_at=created_at,
            model=model,
            version=version or "hidden",
            input=dict(provider_input),
        )
        self.predictions[prediction.id] = prediction
        return prediction

    def get(self, replicate_id: str) -> Prediction | None:
        self.before_read()
        self.asked.append(replicate_id)
        return self.predictions.get(replicate_id)

    def list_since(
        self, created_after: datetime, created_before: datetime | None = None
    ) -> Iterator[Prediction]:
        self.before_read()
        self.listed += 1
        newest_first = sorted(
            (
                (prediction.created_at, number, prediction)
                for number, prediction in enumerate(self.predictions.values())
                if prediction.created_at is not None
            ),
            reverse=True,
        )
        for created_at, _, prediction in newest_first:
            if created_at > created_after and (
                created_before is None or created_at < created_before
            ):
                yield prediction if self.lists_webhooks else replace(prediction, webhook=None)

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


class ForgetfulDeduplication:
    """The webhook hint with Redis there (`remembers`) or gone."""

    def __init__(self, *, remembers: bool = True) -> None:
        self.remembers = remembers
        self.ids: set[str] = set()

    def seen(self, replicate_id: str) -> bool:
        return self.remembers and replicate_id in self.ids

    def remember(self, replicate_id: str) -> None:
        self.ids.add(replicate_id)


class MemoryRecentRequests:
    """Which key equal requests share, in memory, by the rules of `services.ports.idempotency`."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, datetime]] = {}

    def key_of(self, digest: str, own: str, at: datetime, joins: int, kept: int) -> str:
        key, since = self.kept.get(digest, (own, at))
        if joins and key != own and since >= at - timedelta(seconds=joins):
            return key
        if since <= at:
            self.renew(digest, own, at, kept)
        return own

    def renew(self, digest: str, own: str, at: datetime, kept: int) -> None:
        assert kept > 0
        self.kept[digest] = (own, at)


class MemoryKeys:
    """Idempotency-Keys in memory: both halves, by the rules of `domain.idempotency`.

    `now` moves time on; a state that has run out is not there any more.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: START) -> None:
        self.now = now
        self.kept: dict[str, tuple[str, str, KeyState, datetime]] = {}

    def claim(
        self,
        key: str,
        body: Mapping[str, Any],
        propose: Callable[[], str],
        exists: Callable[[str], bool],
    ) -> Claim:
        found = self.find(key, body, exists)
        if found is not None:
            return found
        record = KeyRecord(key, _hash(body))
        job_id = propose()
        self._keep(record, job_id, KeyState.CLAIMED)
        return Claim(record, job_id, created=False)

    def find(
        self, key: str, body: Mapping[str, Any], exists: Callable[[str], bool]
    ) -> Claim | None:
        found = self._standing(key)
        if found is None:
            return None
        job_id, body_hash, state = found
        if body_hash != _hash(body):
            raise IdempotencyKeyReused("Another body.")
        return Claim(KeyRecord(key, body_hash), job_id, state is KeyState.CREATED)

    def forget(self, claim: Claim) -> None:
        standing = self._standing(claim.record.id)
        if standing and (standing[0], standing[2]) == (claim.job_id, KeyState.CREATED):
            del self.kept[claim.record.id]

    def hold(self, record: KeyRecord, job_id: str) -> bool:
        found = self._standing(record.id)
        if found is not None and found[0] != job_id:
            raise RequestInProgress("Another job.")
        if found is not None and found[2] is KeyState.CREATED:
            return False
        self._keep(record, job_id, KeyState.CREATING)
        return True

    def bind(self, record: KeyRecord, job_id: str) -> None:
        found = self._standing(record.id)
        if found is None or found[0] != job_id or found[2] is KeyState.CLAIMED:
            raise RequestInProgress("Another job.")
        self._keep(record, job_id, KeyState.CREATED)

    def release(self, record: KeyRecord, job_id: str) -> None:
        found = self._standing(record.id)
        if found is not None and (found[0], found[2]) == (job_id, KeyState.CLAIMED):
            del self.kept[record.id]

    def _keep(self, record: KeyRecord, job_id: str, state: KeyState) -> None:
        seconds = KEPT_SECONDS if state is KeyState.CREATED else CLAIM_SECONDS
        until = self.now() + timedelta(seconds=seconds)
        self.kept[record.id] = (job_id, record.body_hash, state, until)

    def _standing(self, key: str) -> tuple[str, str, KeyState] | None:
        found = self.kept.get(key)
        return None if found is None or found[3] < self.now() else found[:3]


def _hash(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True)


class MemoryJobRepository:
    """PostgreSQL's rules in memory: a job ends once, and repeating its end changes nothing."""

    def __init__(self) -> None:
        self.money = MemoryMoney()
        self.weight = 1
        self.created: dict[str, Job] = {}
        self.finished: dict[str, FinishedJob] = {}
        self.orphans: dict[str, OrphanedPrediction] = {}
        self.deleted: set[str] = set()

    def create_job(self, job: Job, _execution_arn: str | None) -> Creation:
        if job.job_id in self.deleted:
            raise JobDeleted("The job was deleted.", jobId=job.job_id)
        if job.job_id in self.created:
            return Creation(new=False, weight=self.weight)
        alerted = self.money.hold(job)
        self.created[job.job_id] = job
        return Creation(new=True, alerted=alerted, weight=self.weight)

    def finish_job(self, finished: FinishedJob) -> StatusDocument | None:
        if finished.job.job_id in self.deleted:
            return None
        earlier = self.finished.setdefault(finished.job.job_id, finished)
        if earlier.status is finished.status and finished.settled:
            self.money.settle(finished.job, finished.actual_cost)
        for orphan in finished.orphans:
            self.record_orphan(finished.job.job_id, orphan)
        return finished_document(earlier) if earlier.status is finished.status else None

    def settle_prediction(
        self,
        job_id: str,
        replicate_id: str,
        cost: Decimal | None,
        predict_time: float | None,
        total_time: float | None,
    ) -> bool:
        end = self.finished.get(job_id)
        if end is None or end.replicate_id not in {None, replicate_id}:
            return False
        unknown = end.replicate_id is None or end.actual_cost is None
        self.finished[job_id] = replace(
            end,
            replicate_id=replicate_id,
            actual_cost=cost if unknown else end.actual_cost,
            predict_time=predict_time if end.predict_time is None else end.predict_time,
            total_time=total_time if end.total_time is None else end.total_time,
        )
        self.money.settle(end.job, self.finished[job_id].actual_cost)
        return True

    def release_hold(self, job_id: str) -> None:
        if job_id in self.created:
            self.money.settle(self.created[job_id], Decimal(0))

    def record_orphan(self, _job_id: str, orphan: OrphanedPrediction) -> None:
        known = self.orphans.get(orphan.replicate_id)
        if known is None or known.cost is None:
            self.orphans[orphan.replicate_id] = orphan
        if orphan.cost:
            self.money.charge_orphan(orphan.replicate_id, orphan.cost)

    def status(self, job_id: str) -> StatusDocument | None:
        finished = None if job_id in self.deleted else self.finished.get(job_id)
        return finished_document(finished) if finished else None

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        job = self.created.get(job_id)
        return job.parameters if job else None

    def asked(self, job_id: str) -> AskedDocument | None:
        jobs = self.created | {name: each.job for name, each in self.finished.items()}
        job = jobs.get(job_id)
        if job is None or job_id in self.deleted:
            return None
        return asked_document(job.parameters, job.metadata)

    def overdue(self, before: datetime, limit: int) -> Sequence[Job]:
        open_jobs = (job for job in self.created.values() if job.job_id not in self.finished)
        return [job for job in open_jobs if job.deadline < before][:limit]

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
        self.extended: list[tuple[str, str, datetime]] = []

    def admit(
        self,
        job: Job,
        now: datetime,
        default: Limits,
        own: Callable[[], Limits | None],
        history: Callable[[], Sequence[RecentJob]],
        *,
        created: bool = False,
    ) -> tuple[Admission, Limits]:
        verdict = Verdict.AGAIN if created else Verdict.ADMITTED
        return Admission(verdict, 1, 1, 3600), default

    def extend(self, user_id: str, job_id: str, now: datetime, until: datetime) -> None:
        self.extended.append((user_id, job_id, until))

    def release(self, user_id: str, job_id: str) -> None:
        self.released.append((user_id, job_id))

    def withdraw(self, user_id: str, job_id: str) -> None:
        self.withdrawn.append((user_id, job_id))


@dataclass
class RecordingPublisher:
    """What was told, as (status, callback); `before` may raise, as a service that is away does."""

    told: list[tuple[str, bool]] = field(default_factory=list)
    budgets: list[Mapping[str, Any]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def ended(self, document: StatusDocument, *, callback: bool) -> None:
        self.before()
        self.told.append((document["status"], callback))

    def budget_reached(self, document: Mapping[str, Any]) -> None:
        self.budgets.append(document)


class MemoryCache:
    def __init__(self) -> None:
        self.documents: dict[str, StatusDocument] = {}
        self.requests: dict[str, AskedDocument] = {}
        self.closed: set[str] = set()

    def get(self, job_id: str) -> StatusDocument | None:
        return self.documents.get(job_id)

    def put(self, document: StatusDocument) -> None:
        if document["jobId"] not in self.closed:
            self.documents[document["jobId"]] = document

    def asked(self, job_id: str) -> AskedDocument | None:
        return self.requests.get(job_id)

    def keep_asked(self, job_id: str, asked: AskedDocument) -> None:
        if job_id not in self.closed:
            self.requests[job_id] = asked

    def close(self, job_id: str) -> None:
        self.closed.add(job_id)
        self.documents.pop(job_id, None)
        self.requests.pop(job_id, None)


class FewPlaces:
    """Places to wait at: `free` of them, whoever asks; `until` is what each was taken for."""

    def __init__(self, free: int = 1) -> None:
        self.free = free
        self.taken: dict[tuple[str, str], datetime] = {}

    def take(self, user_id: str, wait_id: str, _now: datetime, until: datetime) -> bool:
        if len(self.taken) >= self.free:
            return False
        self.taken[user_id, wait_id] = until
        return True

    def give_back(self, user_id: str, wait_id: str) -> None:
        self.taken.pop((user_id, wait_id), None)


class NoSlots:
    """Slots of which jobs only ever give theirs back."""

    def __init__(self) -> None:
        self.given_back: list[str] = []

    def give_back(self, job_id: str, _now: datetime) -> None:
        self.given_back.append(job_id)


class StillQueue:
    """A queue that only a test moves: `places` by job; `depth` jobs wait, the next one for `wait`
    seconds; `away`: nothing is known."""

    def __init__(self, depth: int = 0, wait: float = 0.0) -> None:
        self.places: dict[str, Place] = {}
        self.depth, self.wait = depth, wait
        self.away = False

    def look(self, job_ids: Collection[str], _now: datetime) -> Mapping[str, Place]:
        return {job_id: self.places[job_id] for job_id in job_ids if job_id in self.places}

    def outlook(self, _flow: Flow, _now: datetime) -> Outlook | None:
        if self.away:
            return None
        position = self.depth + 1 if self.depth else 0
        place = Place(position, self.wait, self.wait / 2, self.wait * 2)
        return Outlook(self.depth, place)

    def waiting(self, _now: datetime) -> int:
        return self.depth


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
