"""Removing all objects below a prefix."""

from typing import Any

import pytest

from tests.unit.media.conftest import BUCKET
from vsl.adapters.s3.object_removal import ObjectRemoval
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.owner_names import OwnerNames


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


def test_what_lies_under_a_users_other_names_goes_too(s3: Any) -> None:
    owners = OwnerNames(opaque=True, secrets=lambda: f"{'n' * 32},{'o' * 32}")
    places = list(owners.every("media/ann/job-1/"))
    for place in (*places, "media/_0123/job-1/", "temp/stored/job-1/"):
        s3.put_object(Bucket=BUCKET, Key=f"{place}0.png", Body=b"x")
    removal = ObjectRemoval(BUCKET, s3, owners)
    assert len(places) == 3
    assert removal.remove("media/ann/job-1/") == 3
    assert keys(s3) == ["media/_0123/job-1/0.png", "temp/stored/job-1/0.png"]
    assert removal.remove("temp/stored/job-1/") == 1
