"""Job ids: UUID version 7 (RFC 9562), whose first 48 bits are the creation time in milliseconds.

The tracking table's sort key `timestamp` is that very time, so a jobId is enough for `GetItem`.
"""

import hashlib
import re
import secrets
from datetime import UTC, datetime

_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_job_id(at: datetime, seed: str | None = None) -> str:
    """A job id for the moment `at`; the same `at` and `seed` give the same id.

    The seed is the execution's own id: a retried step then names the same job again.
    """
    milliseconds = int(at.timestamp() * 1000)
    random = hashlib.sha256(seed.encode()).digest()[:10] if seed else secrets.token_bytes(10)
    bits = (milliseconds << 80) | int.from_bytes(random)
    bits = (bits & ~(0xF << 76)) | (0x7 << 76)  # version
    bits = (bits & ~(0x3 << 62)) | (0x2 << 62)  # variant
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_job_id(text: object) -> bool:
    return isinstance(text, str) and _JOB_ID.fullmatch(text) is not None


def timestamp_of(job_id: str) -> int:
    """Creation time in milliseconds since 1970, out of the id. Raises ValueError on any other text."""
    if not is_job_id(job_id):
        raise ValueError("not a job id")
    return int(job_id[:8] + job_id[9:13], 16)


def created_at(job_id: str) -> datetime:
    return datetime.fromtimestamp(timestamp_of(job_id) / 1000, UTC)
