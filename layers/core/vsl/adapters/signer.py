"""Addresses of stored objects: presigned for a while, or plain ones when the bucket is public.

The answer's content type is forced to one that a browser may safely show; anything else is handed
out as an opaque attachment, so that no stored file ever runs as a page of ours.
"""

from datetime import datetime
from urllib.parse import quote

from vsl.adapters.signed import endpoint, presign
from vsl.adapters.sniff import MEDIA_TYPES
from vsl.domain.keys import THUMBNAIL_PREFIX

MIN_SECONDS = 60
MAX_SECONDS = 12 * 3600  # the credentials of a role, which sign, live no longer
_OPAQUE = "application/octet-stream"


class S3Signer:
    """Implements `services.ports.Signer`. `access` is `private` or `public`."""

    def __init__(self, bucket: str, seconds: int, access: str = "private") -> None:
        self._base = f"{endpoint('s3')}/{bucket}/"
        self._seconds = min(max(seconds, MIN_SECONDS), MAX_SECONDS)
        self._public = access == "public"

    def url(self, s3_key: str, content_type: str | None = None) -> str:
        """Thumbnails need no content type: they are WebP."""
        url = self._base + quote(s3_key, safe="/~")
        if self._public:
            return url
        return presign(url, response_headers(s3_key, content_type), self._seconds)

    def period(self, at: datetime) -> int | None:
        return None if self._public else int(at.timestamp()) // (self._seconds // 2)


def response_headers(s3_key: str, content_type: str | None) -> dict[str, str]:
    """What the answer's headers are forced to be, as query parameters of S3's GetObject."""
    if content_type is None and s3_key.startswith(THUMBNAIL_PREFIX):
        content_type = "image/webp"
    if content_type in MEDIA_TYPES:
        return {"response-content-type": content_type}
    return {
        "response-content-disposition": "attachment",
        "response-content-type": _OPAQUE,
    }
