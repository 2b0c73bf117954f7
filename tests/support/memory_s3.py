"""A client of S3 in memory."""

import hashlib
import io
from typing import Any

from tests.support.aws_calls import refused


class S3Client:
    """One bucket: keys to bodies."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts: list[str] = []
        self._uploads: dict[str, dict[int, bytes]] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.objects[Key] = bytes(Body)
        self.puts.append(Key)
        return {}

    def get_object(self, *, Key: str, Range: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        body = self._body(Key, "NoSuchKey")
        if Range is not None:
            first, last = Range.removeprefix("bytes=").split("-")
            body = body[int(first) : int(last) + 1]
        return {"Body": io.BytesIO(body)}

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"ContentLength": len(self._body(Key, "404"))}

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        upload = f"upload-{len(self._uploads)}"
        self._uploads[upload] = {}
        return {"UploadId": upload}

    def upload_part(
        self,
        *,
        UploadId: str,  # noqa: N803
        PartNumber: int,  # noqa: N803
        Body: bytes,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        self._upload(UploadId)[PartNumber] = bytes(Body)
        return {"ETag": f"etag-{PartNumber}"}

    def complete_multipart_upload(self, *, Key: str, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        parts = self._upload(UploadId)
        self.put_object(Key=Key, Body=b"".join(parts[number] for number in sorted(parts)))
        del self._uploads[UploadId]
        return {}

    def abort_multipart_upload(self, *, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._uploads.pop(UploadId, None)
        return {}

    def _upload(self, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self._uploads:
            raise refused("NoSuchUpload", status=404)
        return self._uploads[upload_id]

    def _body(self, key: str, absent: str) -> bytes:
        if key not in self.objects:
            raise refused(absent, status=404)
        return self.objects[key]

    def list_objects_v2(self, *, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {
            "Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]
        }

    def delete_objects(self, *, Delete: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        for each in Delete["Objects"]:
            self.objects.pop(each["Key"], None)
        return {}

    def holds(self, key: str, size: int, sha256: str) -> bool:
        body = self.objects.get(key)
        return body is not None and len(body) == size and hashlib.sha256(body).hexdigest() == sha256
