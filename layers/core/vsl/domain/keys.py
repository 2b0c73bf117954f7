"""Where things live in S3. Keys are functions of the job, so storing twice writes the same object."""

import re
from urllib.parse import quote

from vsl.domain.job import Job

MEDIA_PREFIX = "media/"
THUMBNAIL_PREFIX = "thumbnails/"
UPLOAD_PREFIX = "temp/uploads/"
RECORD_PREFIX = "temp/stored/"


def media_prefix(job: Job) -> str:
    """`media/{userId}/{mediaType}/{yyyy}/{mm}/{dd}/{jobId}/`, the day in UTC."""
    return MEDIA_PREFIX + _job_path(job)


def thumbnail_prefix(job: Job) -> str:
    return THUMBNAIL_PREFIX + _job_path(job)


def record_key(job: Job, index: int) -> str:
    """Where StoreMedia notes how far it got with one output; gone after a day, like all of temp/."""
    return f"{RECORD_PREFIX}{job.job_id}/{index}.json"


def file_name(index: int, name: str) -> str:
    """`{index}-{name}` with nothing in the name that a path, a header or a shell could trip over."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "output"
    return f"{index}-{safe[-80:]}"


def _job_path(job: Job) -> str:
    user = quote(job.user_id, safe="")
    return f"{user}/{job.media_type}/{job.created_at:%Y/%m/%d}/{job.job_id}/"
