"""Uploads in S3: the form that takes one, a look at one, an address of one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from vsl.adapters.aws import clients
from vsl.adapters.s3.objects import ABSENT
from vsl.adapters.s3.presigning import BucketAddresses, credentials
from vsl.domain.catalogue.uploads import UploadedFile, UploadForm, UploadRequest
from vsl.domain.jobs.object_keys import upload_key
from vsl.domain.jobs.owner_names import BY_USER_ID, OwnerNames

# What an upload may take, and how long its user may take to begin with it.
FORM_SECONDS = 600
_META = "x-amz-meta-file-name"


class S3Uploads:
    """Implements `services.ports.media.Uploads` for one bucket."""

    def __init__(self, bucket: str, owners: OwnerNames = BY_USER_ID) -> None:
        self._bucket = bucket
        self._addresses = BucketAddresses(bucket)
        self._owners = owners

    def form(
        self, user_id: str, upload_id: str, request: UploadRequest, max_bytes: int
    ) -> UploadForm:
        """S3 takes one file at this one key, of this type, and of the size if that was told."""
        fields = {"Content-Type": request.content_type}
        if request.file_name is not None:
            fields[_META] = quote(request.file_name, safe=" ")
        least, most = (1, max_bytes) if request.size is None else (request.size, request.size)
        conditions = [
            *({name: value} for name, value in fields.items()),
            ["content-length-range", least, most],
        ]
        expires_at = _now().replace(microsecond=0) + timedelta(seconds=FORM_SECONDS)
        with clients.translated("S3"):
            post = clients.client("s3").generate_presigned_post(
                self._bucket,
                self._owners.current(upload_key(user_id, upload_id)),
                Fields=fields,
                Conditions=conditions,
                ExpiresIn=FORM_SECONDS,
            )
        return UploadForm(post["url"], post["fields"], expires_at)

    def find(self, user_id: str, upload_id: str) -> UploadedFile | None:
        looks = (self._head(key) for key in self._keys(user_id, upload_id))
        return next((_uploaded(found) for found in looks if found is not None), None)

    def address(self, user_id: str, upload_id: str, seconds: int) -> str:
        """Where the upload lies is looked up if it may lie in several places."""
        keys = self._keys(user_id, upload_id)
        found = (key for key in keys if len(keys) == 1 or self._head(key) is not None)
        return self._addresses.presigned(next(found, keys[0]), {}, seconds, credentials())

    def _keys(self, user_id: str, upload_id: str) -> list[str]:
        return list(self._owners.every(upload_key(user_id, upload_id)))

    def _head(self, key: str) -> Mapping[str, Any] | None:
        """What S3 tells of the object; None without one."""
        with clients.translated("S3"):
            try:
                found: Mapping[str, Any] = clients.client("s3").head_object(
                    Bucket=self._bucket, Key=key
                )
            except ClientError as error:
                code = clients.error_code(error)
                if code in ABSENT:
                    return None
                raise
        return found


def _now() -> datetime:
    return datetime.now(UTC)


def _uploaded(found: Mapping[str, Any]) -> UploadedFile:
    return UploadedFile(
        found.get("ContentType", ""), int(found["ContentLength"]), found["LastModified"]
    )
