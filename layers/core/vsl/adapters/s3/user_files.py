"""The uploads of a user, put, listed and removed by a function; `services.ports.compat.UserFiles`."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

from vsl.adapters.aws.clients import error_code, translated
from vsl.adapters.s3.objects import ABSENT, ObjectStore
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.object_keys import upload_key
from vsl.domain.jobs.owner_names import BY_USER_ID, OwnerNames
from vsl.services.ports.compat import UserFile

_SERVICE = "S3"
_NAME = "file-name"
_SHA256 = "sha256"


class S3UserFiles:
    """`client` is a boto3 S3 client; every method raises StoreUnavailable."""

    def __init__(self, bucket: str, client: Any, owners: OwnerNames = BY_USER_ID) -> None:
        self._bucket = bucket
        self._client = client
        self._owners = owners

    def put(
        self, user_id: str, upload_id: str, content: bytes, content_type: str, name: str
    ) -> None:
        key = self._owners.current(upload_key(user_id, upload_id))
        told = {_NAME: quote(name, safe=" "), _SHA256: hashlib.sha256(content).hexdigest()}
        ObjectStore(self._bucket, self._client).put(key, content, content_type, told)

    def find(self, user_id: str, upload_id: str) -> UserFile | None:
        looks = (self._head(key) for key in self._owners.every(upload_key(user_id, upload_id)))
        found = next((each for each in looks if each is not None), None)
        return None if found is None else _file(upload_id, found)

    def listed(self, user_id: str, limit: int) -> Sequence[UserFile]:
        ids = set()
        for prefix in self._owners.every(upload_key(user_id, "")):
            with translated(_SERVICE):
                pages = self._client.get_paginator("list_objects_v2").paginate(
                    Bucket=self._bucket, Prefix=prefix
                )
                ids |= {
                    entry["Key"].removeprefix(prefix)
                    for page in pages
                    for entry in page.get("Contents", ())
                }
        # An id begins with the time of its upload.
        newest = sorted((each for each in ids if is_job_id(each)), reverse=True)[:limit]
        files = (self.find(user_id, upload_id) for upload_id in newest)
        return [each for each in files if each is not None]

    def remove(self, user_id: str, upload_id: str) -> None:
        for key in self._owners.every(upload_key(user_id, upload_id)):
            with translated(_SERVICE):
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def _head(self, key: str) -> Mapping[str, Any] | None:
        with translated(_SERVICE):
            try:
                found: Mapping[str, Any] = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in ABSENT:
                    return None
                raise
        return found


def _file(upload_id: str, found: Mapping[str, Any]) -> UserFile:
    told = found.get("Metadata") or {}
    name = told.get(_NAME)
    return UserFile(
        upload_id=upload_id,
        content_type=found.get("ContentType", ""),
        size=int(found["ContentLength"]),
        uploaded_at=found["LastModified"],
        name=None if name is None else unquote(name),
        etag=str(found.get("ETag", "")).strip('"') or None,
        sha256=told.get(_SHA256),
    )
