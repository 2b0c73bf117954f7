"""Where things live in S3. Keys are functions of the job, so storing twice writes the same object."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import quote

from vsl.domain.jobs.job import Job, MediaType

MEDIA_PREFIX = "media/"
THUMBNAIL_PREFIX = "thumbnails/"
UPLOAD_PREFIX = "temp/uploads/"
RECORD_PREFIX = "temp/stored/"

_MAX_NAME = 80
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def media_prefix(job: Job) -> str:
    """`media/{userId}/{mediaType}/{yyyy}/{mm}/{dd}/{jobId}/`, the day in UTC."""
    return MEDIA_PREFIX + _path_of(job)


def thumbnail_prefix(job: Job) -> str:
    return THUMBNAIL_PREFIX + _path_of(job)


def record_key(job: Job, index: int) -> str:
    """Where StoreMedia notes how far it got with one output; gone after a day, like all of temp/."""
    return f"{RECORD_PREFIX}{job.job_id}/{index}.json"


def outputs_key(job_id: str, digest: str) -> str:
    """Where the output of a prediction is kept that does not fit the job's item."""
    return f"{RECORD_PREFIX}{job_id}/output-{digest}.json"


def failures_key(job: Job, index: int) -> str:
    """Where StoreMedia counts the runs in which one output's download broke off."""
    return f"{RECORD_PREFIX}{job.job_id}/{index}-failures.json"


def thumbnail_key(job: Job, s3_key: str) -> str:
    """Where the thumbnail of a stored file lies: under that file's name, which no other has."""
    name = s3_key.rpartition("/")[2]
    return f"{thumbnail_prefix(job)}{name.rpartition('.')[0] or name}.webp"


def thumbnail_beside(s3_key: str) -> str:
    """As `thumbnail_key`, by the file's own key alone."""
    folder, _, name = s3_key.removeprefix(MEDIA_PREFIX).rpartition("/")
    return f"{THUMBNAIL_PREFIX}{folder}/{name.rpartition('.')[0] or name}.webp"


def upload_key(user_id: str, upload_id: str) -> str:
    """Where a user's upload lies for a day; the provider gets a signed address of it."""
    return f"{UPLOAD_PREFIX}{quote(user_id, safe='')}/{upload_id}"


@dataclass(frozen=True, slots=True)
class JobPlace:
    """All that the place of a job's files hangs on."""

    job_id: str
    user_id: str
    media_type: MediaType
    created_at: datetime

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(job.job_id, job.user_id, job.media_type, job.created_at)

    @property
    def prefixes(self) -> tuple[str, str, str]:
        """Everything the job ever stores lies below one of these."""
        path = _job_path(self.user_id, self.media_type, self.created_at, self.job_id)
        return MEDIA_PREFIX + path, THUMBNAIL_PREFIX + path, f"{RECORD_PREFIX}{self.job_id}/"


def file_name(index: int, name: str) -> str:
    """`{index}-{stem}{suffix}` of a name as its server calls it, which may be any text.

    Nothing stays in it that a path, a header or a shell could trip over. The suffix is kept for itself:
    a stem without a usable character leaves a file that still is what it is.
    """
    suffix = _SUFFIX.search(name)
    end = suffix[0] if suffix else ""
    stem = _UNSAFE.sub("_", name.removesuffix(end)).strip("._")
    stem = stem[len(end) - _MAX_NAME :].lstrip("._") or "output"
    return f"{index}-{stem}{end}"


def _path_of(job: Job) -> str:
    return _job_path(job.user_id, job.media_type, job.created_at, job.job_id)


def _job_path(user_id: str, media_type: MediaType, created_at: datetime, job_id: str) -> str:
    return f"{quote(user_id, safe='')}/{media_type}/{created_at:%Y/%m/%d}/{job_id}/"
