"""Where things live in S3. Keys are functions of the job, so storing twice writes the same object."""

import re
from datetime import datetime
from urllib.parse import quote

from vsl.domain.job import Job, MediaType

MEDIA_PREFIX = "media/"
THUMBNAIL_PREFIX = "thumbnails/"
UPLOAD_PREFIX = "temp/uploads/"
RECORD_PREFIX = "temp/stored/"


def media_prefix(job: Job) -> str:
    """`media/{userId}/{mediaType}/{yyyy}/{mm}/{dd}/{jobId}/`, the day in UTC."""
    return MEDIA_PREFIX + _path_of(job)


def thumbnail_prefix(job: Job) -> str:
    return THUMBNAIL_PREFIX + _path_of(job)


def record_key(job: Job, index: int) -> str:
    """Where StoreMedia notes how far it got with one output; gone after a day, like all of temp/."""
    return f"{RECORD_PREFIX}{job.job_id}/{index}.json"


def upload_key(user_id: str, upload_id: str) -> str:
    """Where a user's upload lies for a day; the provider gets a signed address of it."""
    return f"{UPLOAD_PREFIX}{quote(user_id, safe='')}/{upload_id}"


def prefixes(
    user_id: str, media_type: MediaType, created_at: datetime, job_id: str
) -> tuple[str, str, str]:
    """Everything a job ever stores lies below one of these."""
    path = _job_path(user_id, media_type, created_at, job_id)
    return MEDIA_PREFIX + path, THUMBNAIL_PREFIX + path, f"{RECORD_PREFIX}{job_id}/"


def file_name(index: int, name: str) -> str:
    """`{index}-{name}` with nothing in the name that a path, a header or a shell could trip over."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "output"
    return f"{index}-{safe[-80:]}"


def _path_of(job: Job) -> str:
    return _job_path(job.user_id, job.media_type, job.created_at, job.job_id)


def _job_path(user_id: str, media_type: MediaType, created_at: datetime, job_id: str) -> str:
    return f"{quote(user_id, safe='')}/{media_type}/{created_at:%Y/%m/%d}/{job_id}/"
