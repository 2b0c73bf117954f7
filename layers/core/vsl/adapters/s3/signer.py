"""Addresses of stored objects: presigned for a while, or plain ones when the bucket is public.

An address is handed out again while half of its life is left: a status that is read often is signed
once, and the entity tag of its answer says nothing else (`period`).

The answer's content type is forced to one that a browser may safely show; anything else is handed
out as an opaque attachment, so that no stored file ever runs as a page of ours.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from vsl.adapters.s3.presigning import BucketAddresses, credentials
from vsl.domain.jobs.content_types import served_as
from vsl.domain.jobs.object_keys import THUMBNAIL_PREFIX

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

MIN_SECONDS = 60
MAX_SECONDS = 12 * 3600  # the credentials of a role, which sign, live no longer
KEPT = 512
"""Addresses that a process hands out again."""


class S3Signer:
    """Implements `services.ports.media.Signer`. `access` is `private` or `public`."""

    def __init__(self, bucket: str, seconds: int, access: str = "private") -> None:
        self._addresses = BucketAddresses(bucket)
        self._seconds = within_bounds(seconds)
        self._public = access == "public"
        self._signed = lru_cache(maxsize=KEPT)(self._sign)

    def url(self, s3_key: str, content_type: str | None = None) -> str:
        """Thumbnails need no content type: they are WebP."""
        if self._public:
            return self._addresses.plain(s3_key)
        return self._signed(s3_key, content_type, credentials(), self.period(_now()))

    def period(self, at: datetime) -> int | None:
        return None if self._public else int(at.timestamp()) // (self._seconds // 2)

    def _sign(
        self,
        s3_key: str,
        content_type: str | None,
        signed_by: "ReadOnlyCredentials",
        _period: int | None,
    ) -> str:
        query = response_headers(s3_key, content_type)
        return self._addresses.presigned(s3_key, query, self._seconds, signed_by)


def _now() -> datetime:
    return datetime.now(UTC)


def within_bounds(seconds: int) -> int:
    return min(max(seconds, MIN_SECONDS), MAX_SECONDS)


def response_headers(s3_key: str, content_type: str | None) -> dict[str, str]:
    """What the answer's headers are forced to be, as query parameters of S3's GetObject."""
    if content_type is None and s3_key.startswith(THUMBNAIL_PREFIX):
        content_type = "image/webp"
    kind, disposition = served_as(content_type)
    headers = {"response-content-disposition": disposition, "response-content-type": kind}
    return {name: value for name, value in headers.items() if value is not None}
