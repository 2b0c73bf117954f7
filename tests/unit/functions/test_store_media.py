"""The StoreMedia function as Step Functions calls it, over moto's S3 and DynamoDB."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.store_media import app
from tests.support import media_files
from tests.support.jobs import create_table, make_job
from tests.support.log_lines import written_to
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.domain.errors import OutputInvalid
from vsl.domain.jobs.job import JobStatus, MediaAsset
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.runtime import wiring, wiring_media
from vsl.runtime.payloads import StoreMediaInput
from vsl.runtime.settings import settings

JOB = make_job()


class _Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 3000


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "STAGE": "test",
        "API_AUTH": "API_KEY",
        "DYNAMODB_TABLE": "jobs",
        "S3_BUCKET": "media-bucket",
        "SSM_PREFIX": "/vsl/test/",
    }.items():
        monkeypatch.setenv(name, value)
    caches: tuple[Any, ...] = (settings, wiring.tracking_store, wiring_media.media)
    clients.forget()
    for cache in caches:
        cache.cache_clear()
    with mock_aws():
        client = clients.client("s3", read_timeout=60)
        client.meta.events.register_first("before-send.s3", _as_bytes)
        client.create_bucket(Bucket="media-bucket")
        create_table(boto3.client("dynamodb"), "JobsTable", "jobs")
        DynamoTrackingStore("jobs").create(JOB, JOB.created_at.replace(hour=13), None)
        yield
    clients.forget()
    for cache in caches:
        cache.cache_clear()


def _as_bytes(request: Any, **_: Any) -> None:
    """Within the process moto reads bodies of `bytes` only; over a socket any buffer will do."""
    if isinstance(request.body, bytearray):
        request.body = bytes(request.body)


def _event(content: bytes) -> StoreMediaInput:
    url = "data:image/png;base64," + base64.b64encode(content).decode()
    outcome = Outcome("prediction", PredictionStatus.SUCCEEDED, "webhook", (url,))
    event: StoreMediaInput = json.loads(
        json.dumps({"job": JOB.document(), "outcome": outcome.document()})
    )
    return event


def test_the_answer_is_what_finalize_job_reads() -> None:
    content = media_files.image_file("PNG", 300, 200)
    answer = app.handler(_event(content), _Context())
    assert list(answer) == ["assets"]
    asset = MediaAsset.from_document(json.loads(json.dumps(answer))["assets"][0])
    assert (asset.width, asset.height, asset.file_size) == (300, 200, len(content))
    stored = boto3.client("s3").get_object(Bucket="media-bucket", Key=asset.s3_key)
    assert stored["Body"].read() == content
    item = DynamoTrackingStore("jobs").get(JOB.job_id)
    assert item is not None
    assert item.status is JobStatus.STORING


def test_an_error_keeps_its_name() -> None:
    with pytest.raises(OutputInvalid) as caught:
        app.handler(_event(b""), _Context())
    assert json.loads(str(caught.value))["code"] == "OutputInvalid"


def test_a_line_logged_by_a_worker_thread_names_the_job() -> None:
    with written_to(io.StringIO()) as written:
        app.handler(_event(media_files.image_file("PNG")[:60]), _Context())
    line, done = [json.loads(line) for line in written.getvalue().splitlines()]
    assert (line["level"], line["job_id"]) == ("WARNING", JOB.job_id)
    assert (done["message"], done["job_id"]) == ("step done", JOB.job_id)
    assert line["content_type"] == "image/png"
    assert line["reason"]
