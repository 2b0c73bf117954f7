"""Files that users upload to use as inputs: what may come, and the handle that stands for one.

A handle is `upload:{uploadId}`. The object's key is built from the user whose job names the handle,
so another user's handle leads to nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.job import MediaType
from vsl.domain.suggestions import listed, named

HANDLE_PREFIX: Final = "upload:"
# The bucket's lifecycle deletes what is older (`DeleteTempFiles` in template.yaml).
LIFE: Final = timedelta(days=1)
CONTENT_TYPES: Final[Mapping[str, MediaType]] = {
    "image/png": MediaType.IMAGE,
    "image/jpeg": MediaType.IMAGE,
    "image/webp": MediaType.IMAGE,
    "image/gif": MediaType.IMAGE,
    "audio/wav": MediaType.AUDIO,
    "audio/mpeg": MediaType.AUDIO,
    "audio/ogg": MediaType.AUDIO,
    "audio/flac": MediaType.AUDIO,
    "audio/mp4": MediaType.AUDIO,
    "video/mp4": MediaType.VIDEO,
    "video/webm": MediaType.VIDEO,
}

_KNOWN = ("userId", "contentType", "fileName", "size")
_FILE_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\]{1,255}")


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """`size` in bytes, None when not said. `file_name` is a name without a path, for people."""

    content_type: str
    file_name: str | None = None
    size: int | None = None

    @property
    def media_type(self) -> MediaType:
        return CONTENT_TYPES[self.content_type]


@dataclass(frozen=True, slots=True)
class UploadForm:
    """Where a browser or curl posts a file, with these fields before it, and until when."""

    url: str
    fields: Mapping[str, str] = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An object under a user's prefix, as S3 describes it. `size` in bytes."""

    content_type: str
    size: int
    uploaded_at: datetime


def parse_upload_request(body: object, limits: Mapping[MediaType, int]) -> UploadRequest:
    """Read `{userId?, contentType, fileName?, size?}`; `limits` in bytes.

    Raises InvalidRequest with every fault in `details.fields`.
    """
    if not isinstance(body, Mapping):
        raise _invalid({"body": "must be a JSON object"})
    faults = {
        named(key): f"is not known here. Known are: {listed(_KNOWN)}"
        for key in body
        if key not in _KNOWN
    }
    if body.get("userId", "") is None:
        faults["userId"] = "must be a user, not null; leave it out instead"
    content_type, name, size = body.get("contentType"), body.get("fileName"), body.get("size")
    kind = CONTENT_TYPES.get(content_type) if isinstance(content_type, str) else None
    if kind is None:
        faults["contentType"] = f"must be one of {listed(CONTENT_TYPES)}"
    if name is not None and not (isinstance(name, str) and _FILE_NAME.fullmatch(name)):
        faults["fileName"] = (
            "must be 1 to 255 characters without control characters, slashes and backslashes"
        )
    if size is not None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            faults["size"] = "must be a whole number of bytes, at least 1"
        elif kind is not None and size > limits[kind]:
            faults["size"] = f"is {size:,}; an upload of {kind} may have {limits[kind]:,} bytes"
    if faults:
        raise _invalid(faults)
    return UploadRequest(str(content_type), name, size)


def handle_of(upload_id: str) -> str:
    return HANDLE_PREFIX + upload_id


def is_handle(value: object) -> bool:
    return isinstance(value, str) and value.startswith(HANDLE_PREFIX)


def handles_in(value: object) -> list[str]:
    """The handles that a parameter's value holds: it is one, or a list with some among its members."""
    members = value if isinstance(value, list | tuple) else [value]
    return [str(member) for member in members if is_handle(member)]


def upload_id_of(handle: str) -> str:
    """Raises ValueError when the text only begins like a handle."""
    upload_id = handle.removeprefix(HANDLE_PREFIX)
    if not is_handle(handle) or not is_job_id(upload_id):
        raise ValueError("must be the handle that POST /uploads answered with")
    return upload_id


def fault_of(
    found: UploadedFile | None,
    handle: str,
    wanted: MediaType | None,
    limits: Mapping[MediaType, int],
    needed_until: datetime,
) -> str | None:
    """What keeps an upload from being the input of a job that may need it until then."""
    if found is None or found.uploaded_at + LIFE < needed_until:
        return (
            f"{handle} was not found: it was never uploaded, is older than a day (or will be before"
            " the job ends), or belongs to another user"
        )
    kind = CONTENT_TYPES.get(found.content_type)
    if kind is None or wanted not in {None, kind}:
        return f"{handle} is {kind or 'no media'}; wanted is {wanted or 'media'}"
    if not 1 <= found.size <= limits[kind]:
        return f"{handle} has {found.size:,} bytes; {limits[kind]:,} are allowed"
    return None


def _invalid(faults: Mapping[str, str]) -> InvalidRequest:
    return InvalidRequest.of(list(faults.items())[:20])
