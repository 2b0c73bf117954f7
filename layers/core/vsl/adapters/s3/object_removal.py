"""Removing objects from the media bucket: all below a prefix, as often as it is asked for.

A prefix names its user by id; what lies there under another name of the user's goes as well.
"""

from typing import Any

from vsl.adapters.aws.clients import translated
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.owner_names import BY_USER_ID, OwnerNames

_SERVICE = "S3"


class ObjectRemoval:
    """One bucket without versions; implements `services.ports.media.ObjectRemoval`."""

    def __init__(self, bucket: str, client: Any, owners: OwnerNames = BY_USER_ID) -> None:
        self._bucket = bucket
        self._client = client
        self._owners = owners

    def remove(self, prefix: str) -> int:
        return sum(self._remove(place) for place in self._owners.every(prefix))

    def _remove(self, prefix: str) -> int:
        removed = 0
        with translated(_SERVICE):
            while True:
                # What was listed is gone by the next look, so there is nothing to page through.
                listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
                keys = [{"Key": entry["Key"]} for entry in listed.get("Contents", ())]
                if not keys:
                    return removed
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True}
                )
                if answer.get("Errors"):
                    raise StoreUnavailable("S3 did not remove every object.", service=_SERVICE)
                removed += len(keys)
