"""Whatever the provider says, the job comes to its end: in PostgreSQL, in DynamoDB, in Redis.

Each example is a job that waits. Its end comes by a signed webhook, and the poller and the timeout
get the same answer; then the steps of the state machine follow. The stores are real, or refuse what
the real ones refuse.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.aws_rules import STATE_BYTES, StrictDynamoDB, StrictTokens
from tests.support.fakes import (
    START,
    PlainSigner,
    RecordingMetrics,
    Secrets,
    SteppedClock,
    StillQueue,
)
from tests.support.jobs import INTENT, catalogue, make_asset, make_job
from tests.support.memory_s3 import S3Client
from tests.support.use_cases import UseCases
from vsl.adapters.aws import clients
from vsl.adapters.aws.step_functions import StepFunctionsTaskTokens
from vsl.adapters.dynamodb.tracking_item import to_dynamodb
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.adapters.dynamodb.values import serialized
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_queries import PostgresJobQueries
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.rate_limits import RedisRateLimits
from vsl.adapters.redis.stores import RedisStatusCache, RedisWebhookDeduplication
from vsl.adapters.replicate.client import ReplicateProvider
from vsl.adapters.s3.large_outputs import LargeOutputs
from vsl.adapters.s3.object_removal import ObjectRemoval
from vsl.adapters.s3.objects import ObjectStore
from vsl.domain.api.caller import Caller
from vsl.domain.errors import VslError
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import Job, JobStatus, MediaAsset
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.prediction import Outcome
from vsl.domain.predictions.signature import sign
from vsl.services.completion.store_media import StoreMedia
from vsl.services.reading.get_timeline import GetTimeline
from vsl.services.reading.live_documents import LiveDocuments
from vsl.services.reading.read_status import ReadStatus
from vsl.services.reading.show_status import ShowStatus
from vsl.services.waiting.verify_webhook import Delivery

pytestmark = pytest.mark.integration

SECRET = "whsec_" + "c2VjcmV0" * 4  # pragma: allowlist secret
BASE = "https://api.example.com"
MODELS = ("flux-schnell", "musicgen", "minimax-video-01", "seedance-1-lite")
_numbers = count(1)

HALF = "half \ud83d"
NUMBERS = (
    0, -0.5, -1e-9, 1e-300, 1e300, 1e308, 10**40, -(10**40), 123456789012345678901234567890123456789.5,
    float("nan"), float("inf"), float("-inf"), "0.8", True,
)  # fmt: skip
TEXTS = (
    "", HALF, "\0", "a\0b", "\x1b[2J\x07", "x" * 500_000, "https://x", "data:,",
    "data:image/png;base64," + "A" * 320_000, "data:image/png;base64," + "A" * 200_000,
    "https://replicate.delivery/" + "a" * 300_000, "HTTPS://replicate.delivery/a b/é.png",
)  # fmt: skip
TIMES = (
    "2026-03-01T12:00:05", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "soon",
    "2026-03-01T12:00:05.123456789Z", "1970-01-01T00:00:00Z",
)  # fmt: skip
NASTY: Any = st.sampled_from([*NUMBERS, *TEXTS, *TIMES, None, False, [], {}, [[]], {"": None}])
JSON = st.recursive(
    NASTY | st.text(st.characters(exclude_categories=()), max_size=20) | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = (
    "id", "status", "output", "error", "logs", "metrics", "created_at", "started_at", "completed_at",
    "webhook", "data_removed", "input", "urls", "model", "version", "source",
)  # fmt: skip
METRICS = st.dictionaries(st.sampled_from(["predict_time", "total_time", "image_count"]), NASTY)
ANSWERS = st.fixed_dictionaries(
    {"status": st.sampled_from(["succeeded", "failed", "canceled", "aborted"])},
    optional={name: (METRICS | JSON) if name == "metrics" else JSON for name in FIELDS[2:]},
) | st.dictionaries(st.sampled_from(FIELDS), JSON)


@dataclass
class Stores:
    """The real ones, shared by all examples."""

    repository: PostgresJobRepository
    queries: PostgresJobQueries
    freezes: PostgresBudgets
    cache: RedisStatusCache
    deduplication: RedisWebhookDeduplication
    limits: RedisRateLimits
    table: StrictDynamoDB = field(default_factory=StrictDynamoDB)
    tokens: StrictTokens = field(default_factory=StrictTokens)
    bucket: S3Client = field(default_factory=S3Client)


@pytest.fixture
def stores(
    connection: PostgresConnection, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stores]:
    redis = RedisClient(lambda: redis_url)
    made = Stores(
        PostgresJobRepository(connection),
        PostgresJobQueries(connection),
        PostgresBudgets(connection),
        RedisStatusCache(lambda: redis_url, redis),
        RedisWebhookDeduplication(lambda: redis_url, redis),
        RedisRateLimits(lambda: redis_url, redis),
    )
    by_service = {"dynamodb": made.table, "stepfunctions": made.tokens}
    monkeypatch.setattr(clients, "client", by_service.__getitem__)
    yield made
    redis.close()


class Media:
    """Files are no part of this: each address becomes an asset."""

    def store(self, _job: Job, index: int, url: str) -> MediaAsset:
        url.encode()
        return make_asset(index)


class FiniteMetrics(RecordingMetrics):
    def record(self, values: Mapping[str, float], /, **_dimensions: str) -> None:
        json.dumps(dict(values), allow_nan=False)
        assert all(0 <= value < 1e12 for value in values.values()), values

    def seconds(self, name: str, value: float, /, **_dimensions: str) -> None:
        self.record({name: value})


class WaitingJob:
    """A job whose prediction runs and which waits for its end; `answer` is what the provider says."""

    def __init__(self, stores: Stores, answer: Any, model_id: str = "flux-schnell") -> None:
        stores.table.items.clear()
        number = next(_numbers)
        model = catalogue().find(model_id)
        defaults = {name: known.default for name, known in model.parameters.items()}
        parameters = {**defaults, "prompt": "a lighthouse"} | (
            {"num_outputs": 4} if "num_outputs" in defaults else {}
        )
        self.stores = stores
        self.clock = SteppedClock(START)
        self.job = make_job(
            job_id=new_job_id(START, f"any-{number}"),
            model_id=model_id,
            media_type=model.media_type,
            parameters=parameters,
        )
        self.replicate_id = f"prediction{number:016d}"
        self.token = f"token-{number}"
        self.reported: list[VslError] = []
        self.answer = answer
        if isinstance(answer, dict):
            webhook = webhook_url(BASE, self.job.job_id, 1)
            self.answer = {"id": self.replicate_id, "webhook": webhook, **answer}
        self.outputs = LargeOutputs(lambda: ObjectStore("media", stores.bucket))
        self.tracking = DynamoTrackingStore("jobs", self.outputs)
        self.tokens = StepFunctionsTaskTokens()
        self.metrics = FiniteMetrics()
        self.provider = ReplicateProvider(
            "https://provider.test/v1",
            lambda: "r8_token",
            transport=httpx.MockTransport(lambda _: httpx.Response(200, content=self._body())),
            sleep=lambda _: None,
        )
        self.use_cases = UseCases(
            tracking=self.tracking,
            provider=self.provider,
            tokens=self.tokens,
            deduplication=stores.deduplication,
            repository=stores.repository,
            clock=self.clock,
            metrics=self.metrics,
            cache=stores.cache,
            limits=stores.limits,
        )
        stores.freezes.unfreeze(self.job.model_id)  # the example before may have cost too much
        stores.repository.create_job(self.job, "arn:execution")
        self.tracking.create(self.job, self.job.deadline, "arn:execution")
        self.tracking.write_intent(self.job.job_id, 1, START, START, INTENT)
        self.tracking.record_prediction(self.job.job_id, 1, self.replicate_id, START, "workflow")
        self.use_cases.await_prediction(self.job.job_id, self.token)

    def _body(self) -> bytes:
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()

    def webhook(self) -> int:
        """The HTTP status that the provider is answered with."""
        raw, message = self._body(), "msg_1"
        at = str(int(self.clock.now().timestamp()))
        headers = {
            "webhook-id": message,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{sign(SECRET, message, at, raw)}",
        }
        delivery = Delivery(headers, raw, {"jobId": self.job.job_id, "attempt": "1"})
        try:
            self.use_cases.process_webhook(Secrets([SECRET]))(delivery)
        except VslError as error:
            return error.status
        return 200

    def poll(self) -> None:
        poll_predictions = self.use_cases.poll_predictions(
            report=lambda _job_id, error: self.reported.append(error),
            repair=lambda _job_id: None,
        )
        poll_predictions(self.clock.now() + timedelta(minutes=1))

    def end(self) -> None:
        """The rest of the state machine."""
        try:
            woken, objects = self._wake(), ObjectRemoval("media", self.stores.bucket)
            store_media = StoreMedia(self.tracking, Media(), objects, self.clock)
            assets = store_media(self.job, self.outputs.restore(woken))
            documents = [asset.document() for asset in assets]
            state = {"job": self.job.document(), "outcome": woken.document(), "media": documents}
            assert len(json.dumps(state, allow_nan=False).encode()) <= STATE_BYTES
            self.use_cases.finalize_job(
                self.job, woken, tuple(map(MediaAsset.from_document, documents))
            )
        except _WokenByError as woken_by:
            self._fail(woken_by.error, woken_by.cause)
        except VslError as error:
            cause = json.dumps({"errorType": error.code, "errorMessage": str(error)})
            self._fail(error.code, cause)

    def _wake(self) -> Outcome:
        """The outcome that the job goes on with; raises the error it ends in."""
        error, text = self.stores.tokens.answers.get(self.token, ("States.Timeout", ""))
        if not error:
            return Outcome.from_document(json.loads(text))
        if error == "States.Timeout":
            _, outcome = self.use_cases.resolve_timeout(self.job.job_id)
            return Outcome.from_document(json.loads(json.dumps(outcome.document())))
        raise _WokenByError(error, text)

    def _fail(self, error: str, cause: str) -> None:
        document = {"job": self.job.document(), "error": {"Error": error, "Cause": cause}}
        self.use_cases.record_failure(document)

    def check(self) -> dict[str, Any]:
        """The public status, which every store tells alike."""
        written = self.stores.repository.status(self.job.job_id)
        item = self.tracking.get(self.job.job_id)
        assert written is not None
        assert item is not None
        assert JobStatus(written["status"]).terminal
        # The tracking item is written often, and never with what the client wrote.
        asked = {"prompt", "metadata"}
        assert item.result == {k: v for k, v in written.items() if k not in asked}
        assert self.stores.cache.get(self.job.job_id) == written
        read = ReadStatus(
            self.stores.cache,
            self.tracking,
            self.stores.repository,
            LiveDocuments(StillQueue(), self.clock),
        )
        status = ShowStatus(PlainSigner())(read(self.job.job_id, Caller()))
        get_timeline = GetTimeline(self.tracking, self.stores.queries, self.clock)
        timeline = get_timeline(self.job.job_id, Caller())
        text = json.dumps([status, timeline], ensure_ascii=False, allow_nan=False)
        text.encode()
        shown = f"{status['error']}{status['logs']}"
        assert not {c for c in shown if unicodedata.category(c) in {"Cc", "Cs"}} - {"\n", "\t"}
        return status


class _WokenByError(Exception):
    """What SendTaskFailure gave to the state machine."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.error = error
        self.cause = cause


def end_of(stores: Stores, answer: Any, model_id: str, *, by_webhook: bool) -> dict[str, Any]:
    job = WaitingJob(stores, answer, model_id)
    if by_webhook:
        assert job.webhook() < 500
    for moment in (job.clock.now(), job.job.deadline):
        job.clock.at = max(moment, job.clock.now())
        job.poll()
    job.end()
    return job.check()


@example(
    {"status": "succeeded", "metrics": {"predict_time": 0.8, "total_time": -0.5}}, MODELS[0], True
)
@example(
    {"status": "failed", "error": HALF, "completed_at": "2026-03-01T12:00:05"}, MODELS[0], True
)
@example(
    {"status": "failed", "error": ["a"], "logs": {"b": HALF}, "metrics": [1]}, MODELS[1], False
)
@example({"status": "succeeded", "output": TEXTS[8]}, MODELS[0], True)
@example({"status": "succeeded", "output": [TEXTS[9]]}, MODELS[0], False)
@example({"status": "succeeded", "output": [TEXTS[9]] * 40}, MODELS[2], True)
@example({"status": "succeeded", "output": ["https://x/a.png"] * 20_000}, MODELS[0], True)
@example({"status": "succeeded", "metrics": {"predict_time": 1e300}}, MODELS[1], True)
@example({"status": "succeeded", "metrics": {"predict_time": 1e9}}, MODELS[1], True)
@example({"status": ["succeeded"], "id": {}}, MODELS[0], True)
@example({"status": "succeeded", "id": "x" * 5000}, MODELS[0], True)
@example({"status": "succeeded", "id": "another"}, MODELS[0], False)
@example(b'{"status": ' + b"[" * 100_000, MODELS[0], True)
@example([None], MODELS[0], False)
@given(ANSWERS | JSON, st.sampled_from(MODELS), st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_job_ends_whatever_the_provider_says(
    stores: Stores, answer: Any, model_id: str, by_webhook: bool
) -> None:
    end_of(stores, answer, model_id, by_webhook=by_webhook)


OF_AN_OLDER_VERSION: dict[str, Any] = {
    "status": "succeeded",
    "source": "webhook",
    "output": ["https://replicate.delivery/out-0.webp"],
    "error": "half \x07",
    "predictTime": 0.8,
    "totalTime": -0.5,
    "startedAt": "2026-03-01T12:00:00",
    "completedAt": "2026-03-01T12:00:05",
    "outputCount": 1,
    "dataRemoved": False,
}


def written_by_an_older_version(stores: Stores) -> WaitingJob:
    """It waits, the outcome is in its item, and so is the event that came with it."""
    job = WaitingJob(stores, {"status": "succeeded"})
    document = {"replicateId": job.replicate_id, **OF_AN_OLDER_VERSION}
    event = {
        "at": "2026-03-01T12:00:06.000Z",
        "source": "webhook",
        "detail": {"completedAt": "2026-03-01T12:00:05", "predictTime": Decimal("1E+100")},
    }
    item = stores.table.items[job.job.job_id]
    item["outcome"] = serialized({"it": to_dynamodb(document)})["it"]
    item["events"] = {"M": item["events"]["M"] | serialized({"outcome_recorded": event})}
    return job


@pytest.mark.parametrize("how", ["poller", "state machine", "failure", "repair"])
def test_what_an_older_version_has_written_ends_too(stores: Stores, how: str) -> None:
    job = written_by_an_older_version(stores)
    if how == "poller":
        job.poll()
        job.end()
    elif how == "state machine":
        outcome = Outcome.from_document({"replicateId": job.replicate_id, **OF_AN_OLDER_VERSION})
        job.use_cases.finalize_job(job.job, outcome, (make_asset(),))
    elif how == "failure":
        job._fail("DownloadFailed", "")
    else:
        job.use_cases.repair_execution(job.job.job_id, "stopped", job.job.document())
    status = job.check()
    assert status["status"] == ("failed" if how in {"failure", "repair"} else "succeeded")


def measured(stores: Stores, job_id: str) -> Any:
    return stores.repository._connection.run(
        lambda connection: connection.execute(
            "SELECT predict_time, total_time, actual_cost FROM jobs WHERE job_id = %s", (job_id,)
        ).fetchone()
    )


@pytest.mark.parametrize(
    ("answer", "model_id", "status", "row"),
    [
        (
            {"output": ["https://x/a"], "metrics": {"predict_time": 0.8, "total_time": -0.5}},
            "musicgen",
            "succeeded",
            (0.8, None, Decimal("0.001120")),
        ),
        (
            {"output": ["https://x/a"], "metrics": {"predict_time": -0.1}},
            "musicgen",
            "succeeded",
            (None, None, None),
        ),
        ({"output": [None] * 4}, "flux-schnell", "failed", (None, None, Decimal(0))),
        (
            {"output": ["https://x/a"] * 3},
            "flux-schnell",
            "succeeded",
            (None, None, Decimal("0.009")),
        ),
    ],
)
def test_what_can_be_known_is_kept(
    stores: Stores, answer: dict[str, Any], model_id: str, status: str, row: tuple[Any, ...]
) -> None:
    job = WaitingJob(stores, {"status": "succeeded", **answer}, model_id)
    assert job.webhook() == 200
    job.end()
    assert job.check()["status"] == status
    assert measured(stores, job.job.job_id) == row
