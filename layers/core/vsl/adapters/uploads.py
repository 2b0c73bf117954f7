"""Uploads in S3 without an AWS client: the form that takes one, a look at one, an address of one."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from vsl.adapters.signed import endpoint, form, head, presign
from vsl.domain.keys import upload_key
from vsl.domain.uploads import UploadedFile, UploadForm, UploadRequest

# What an upload may take, and how long its user may take to begin with it.
FORM_SECONDS = 600
_META = "x-amz-meta-file-name"


class S3Uploads:
    """Implements `services.ports.Uploads` for one bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket_url = f"{endpoint('s3')}/{bucket}"

    def form(
        self, user_id: str, upload_id: str, request: UploadRequest, max_bytes: int
    ) -> UploadForm:
        """S3 takes one file at this one key, of this type, and of the size if that was told."""
        fields = {
            "key": upload_key(user_id, upload_id),
            "Content-Type": request.content_type,
        }
        if request.file_name is not None:
            fields[_META] = quote(request.file_name, safe=" ")
        least, most = (1, max_bytes) if request.size is None else (request.size, request.size)
        conditions = [
            {"bucket": self._bucket_url.rpartition("/")[2]},
            ["content-length-range", least, most],
        ]
        signed, expires_at = form(fields, conditions, FORM_SECONDS)
        return UploadForm(self._bucket_url, signed, expires_at)

    def find(self, user_id: str, upload_id: str) -> UploadedFile | None:
        headers = head(self._url(user_id, upload_id))
        return None if headers is None else _uploaded(headers)

    def address(self, user_id: str, upload_id: str, seconds: int) -> str:
        return presign(self._url(user_id, upload_id), {}, seconds)

    def _url(self, user_id: str, upload_id: str) -> str:
        return f"{self._bucket_url}/{quote(upload_key(user_id, upload_id), safe='/~')}"


def _uploaded(headers: Mapping[str, str]) -> UploadedFile:
    return UploadedFile(
        headers.get("content-type", ""),
        int(headers["content-length"]),
        parsedate_to_datetime(headers["last-modified"]),
    )
