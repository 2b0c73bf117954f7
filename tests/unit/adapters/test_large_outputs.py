"""An output that does not fit an item lies in S3, and the item says where."""

import json
from typing import Any

import pytest

from tests.support.aws_rules import StrictDynamoDB
from tests.support.fakes import (
    START,
    FakeProvider,
    RecordingCallbacks,
    RecordingMetrics,
    SteppedClock,
)
from tests.support.jobs import INTENT, make_job
from tests.support.memory_s3 import S3Client
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.adapters.s3.large_outputs import INLINE_BYTES, LargeOutputs
from vsl.adapters.s3.objects import ObjectStore
from vsl.domain.api.caller import Caller
from vsl.domain.errors import OutputExpired
from vsl.domain.jobs.job import Job, MediaType
from vsl.domain.jobs.object_keys import JobPlace
from vsl.domain.predictions.prediction import MAX_OUTPUTS, Outcome, Prediction, PredictionStatus
from vsl.services.api.cancel_job import CancelJob
from vsl.services.submission.stop_prediction import StopPrediction
from vsl.services.waiting.complete_wait import CompleteWait
from vsl.services.waiting.record_outcome import RecordOutcome
from vsl.services.waiting.resolve_timeout import ResolveTimeout

JOB = make_job().job_id
DATA = "data:image/png;base64," + "A" * 320_000


def outcome(*output: str) -> Outcome:
    return Outcome("p1", PredictionStatus.SUCCEEDED, "webhook", output, output_count=len(output))


@pytest.fixture
def bucket() -> S3Client:
    return S3Client()


@pytest.fixture
def outputs(bucket: S3Client) -> LargeOutputs:
    return LargeOutputs(lambda: ObjectStore("media", bucket))


@pytest.mark.parametrize("output", [(DATA,), (DATA, "https://x/é.png"), ("https://x/a",) * 1000])
def test_what_is_large_is_kept_and_comes_back(
    outputs: LargeOutputs, bucket: S3Client, output: tuple[str, ...]
) -> None:
    kept = outputs.keep(JOB, outcome(*output))
    assert len(json.dumps(kept.document())) < INLINE_BYTES
    assert kept.output_count == len(output)
    assert outputs.restore(Outcome.from_document(kept.document())).output == output
    assert outputs.keep(JOB, outcome(*output)) == kept
    assert len(bucket.objects) == 1


def test_what_fits_stays_where_it_is(outputs: LargeOutputs, bucket: S3Client) -> None:
    small = outcome("https://replicate.delivery/out-0.webp", "data:,x")
    assert outputs.keep(JOB, small) is small
    assert outputs.restore(small) is small
    assert bucket.objects == {}


def test_it_is_deleted_with_the_job(outputs: LargeOutputs, bucket: S3Client) -> None:
    outputs.keep(JOB, outcome(DATA))
    below = JobPlace(JOB, "user-1", MediaType.IMAGE, START).prefixes
    assert all(key.startswith(below) for key in bucket.objects)


def test_what_is_gone_is_said_so(outputs: LargeOutputs, bucket: S3Client) -> None:
    kept = outputs.keep(JOB, outcome(DATA))
    bucket.objects.clear()
    with pytest.raises(OutputExpired):
        outputs.restore(kept)


def test_a_provider_cannot_name_an_object_of_ours() -> None:
    body = {"id": "p1", "status": "succeeded", "output": ["s3:media/other/secret.png"]}
    assert Outcome.of(Prediction.parse(body), "webhook").output == ()


def test_no_job_stores_more_files_than_its_documents_hold() -> None:
    body = {"id": "p1", "status": "succeeded", "output": ["https://x/a.png"] * (MAX_OUTPUTS + 1)}
    ended = Outcome.of(Prediction.parse(body), "webhook")
    assert (len(ended.output), ended.output_count) == (MAX_OUTPUTS, MAX_OUTPUTS + 1)


class Waiting:
    """A job whose prediction has ended with a large output, which is not recorded yet."""

    def __init__(self, outputs: LargeOutputs) -> None:
        self.job: Job = make_job()
        self.clock = SteppedClock()
        self.tracking = DynamoTrackingStore("jobs", outputs)
        self.provider = FakeProvider(self.clock)
        self.tracking.create(self.job, self.job.deadline, None)
        self.tracking.write_intent(self.job.job_id, 1, START, START, INTENT)
        self.prediction = self.provider.create("m", {}, "https://x", 60)
        self.tracking.record_prediction(self.job.job_id, 1, self.prediction.id, START, "workflow")
        ended: Any = self.provider.end(self.prediction.id)
        object.__setattr__(ended, "output", DATA)

    def output(self) -> tuple[str, ...]:
        item = self.tracking.get(self.job.job_id)
        assert item is not None
        assert item.outcome is not None
        return item.outcome.output


@pytest.fixture
def waiting(outputs: LargeOutputs, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    table = StrictDynamoDB()
    monkeypatch.setattr(clients, "client", lambda _service: table)
    return Waiting(outputs)


def test_a_timeout_that_finds_a_large_output_keeps_it(waiting: Waiting, bucket: S3Client) -> None:
    resolve_timeout = ResolveTimeout(
        waiting.tracking, waiting.clock, StopPrediction(waiting.provider)
    )
    _, found = resolve_timeout(waiting.job.job_id)
    assert len(json.dumps(found.document())) < INLINE_BYTES
    assert found.output == waiting.output()
    assert len(bucket.objects) == 1


def test_a_cancel_that_comes_too_late_keeps_it(waiting: Waiting, bucket: S3Client) -> None:
    complete_wait = CompleteWait(waiting.tracking, RecordingCallbacks(), waiting.clock)
    cancel_job = CancelJob(
        tracking=waiting.tracking,
        provider=waiting.provider,
        complete_wait=complete_wait,
        record_outcome=RecordOutcome(
            waiting.tracking, waiting.clock, RecordingMetrics(), complete_wait
        ),
        clock=waiting.clock,
    )
    cancel_job(waiting.job.job_id, Caller())
    assert waiting.output()[0].startswith("s3:")
    assert len(bucket.objects) == 1
