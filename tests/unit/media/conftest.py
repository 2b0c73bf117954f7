"""An S3 in memory, and the store on top of it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from vsl.adapters.http.download import Downloads
from vsl.adapters.media.stored_media import StoredMedia
from vsl.adapters.s3.objects import ObjectStore

BUCKET = "media-bucket"


@pytest.fixture(scope="module")
def s3_client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.meta.events.register_first("before-send.s3", _as_bytes)
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def s3(s3_client: Any) -> Any:
    """The client, with an empty bucket."""
    for entry in s3_client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3_client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    return s3_client


def _as_bytes(request: Any, **_: Any) -> None:
    """Within the process moto reads bodies of `bytes` only; over a socket any buffer will do."""
    if isinstance(request.body, bytearray):
        request.body = bytes(request.body)


@pytest.fixture
def objects(s3: Any) -> ObjectStore:
    return ObjectStore(BUCKET, s3)


@pytest.fixture
def media(objects: ObjectStore) -> StoredMedia:
    return StoredMedia(objects, Downloads([], max_bytes=50_000_000))
