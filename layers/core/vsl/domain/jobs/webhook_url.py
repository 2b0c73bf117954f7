"""The webhook address of one attempt: it carries jobId and attempt, and Replicate echoes it.

That echo is how a prediction whose create answer was lost is found again in the provider's list.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from vsl.domain.jobs.ids import is_job_id

WEBHOOK_PATH = "/webhook/replicate"
_ATTEMPT = re.compile("[0-9]{1,9}")


class AttemptKey(NamedTuple):
    job_id: str
    attempt: int


def webhook_url(base_url: str, job_id: str, attempt: int) -> str:
    query = urlencode({"jobId": job_id, "attempt": attempt})
    return f"{base_url.rstrip('/')}{WEBHOOK_PATH}?{query}"


def parse_webhook_url(url: str | None) -> AttemptKey | None:
    """Job and attempt out of an address of ours; None for any other address."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.path.endswith(WEBHOOK_PATH):
        return None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return attempt_key(query.get("jobId"), query.get("attempt"))


def attempt_key(job_id: object, attempt: object) -> AttemptKey | None:
    if not is_job_id(job_id) or not _ATTEMPT.fullmatch(str(attempt)):
        return None
    return AttemptKey(str(job_id), int(str(attempt)))
