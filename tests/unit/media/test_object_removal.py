"""Removing all objects below a prefix."""

from typing import Any

import pytest

from tests.unit.media.conftest import BUCKET
from vsl.adapters.object_removal import ObjectRemoval
from vsl.domain.errors import StoreUnavailable


def keys(s3: Any) -> list[str]:
    listed = s3.list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in listed.get("Contents", ())]


def test_what_lies_below_the_prefix_goes(s3: Any) -> None:
    for key in (
        "media/u/job-1/0.png",
        "media/u/job-1/1.png",
        "media/u/job-10/0.png",
        "media/u/job-1",
    ):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    removal = ObjectRemoval(BUCKET, s3)
    assert removal.remove("media/u/job-1/") == 2
    assert removal.remove("media/u/job-1/") == 0
    assert keys(s3) == ["media/u/job-1", "media/u/job-10/0.png"]


class Stubborn:
    """S3 that keeps an object for now, or lists a thousand at a time."""

    def __init__(self, client: Any, *, refuse: bool = False) -> None:
        self._client = client
        self._refuse = refuse

    def list_objects_v2(self, **arguments: Any) -> Any:
        return self._client.list_objects_v2(MaxKeys=2, **arguments)

    def delete_objects(self, **arguments: Any) -> Any:
        if self._refuse:
            return {"Errors": [{"Key": "media/a", "Code": "InternalError"}]}
        return self._client.delete_objects(**arguments)


def test_more_than_one_listing_holds(s3: Any) -> None:
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"media/{number}", Body=b"x")
    assert ObjectRemoval(BUCKET, Stubborn(s3)).remove("media/") == 5
    assert keys(s3) == []


def test_what_s3_could_not_remove_is_an_error(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="media/a", Body=b"x")
    with pytest.raises(StoreUnavailable):
        ObjectRemoval(BUCKET, Stubborn(s3, refuse=True)).remove("media/")
