"""The webhook address of one attempt: it carries jobId and attempt, and Replicate echoes it.

That echo is how a prediction whose create answer was lost is found again in the provider's list. It
also says how the output is read where that is no list of files: an address may be all of a text.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from vsl.domain.jobs.ids import is_job_id
from vsl.domain.predictions.output import OutputKind

WEBHOOK_PATH = "/webhook/replicate"
_ATTEMPT = re.compile("[0-9]{1,9}")


class AttemptKey(NamedTuple):
    job_id: str
    attempt: int


def webhook_url(
    base_url: str, job_id: str, attempt: int, output: OutputKind = OutputKind.FILES
) -> str:
    query: dict[str, object] = {"jobId": job_id, "attempt": attempt}
    if output is not OutputKind.FILES:
        query["output"] = output.value
    return f"{base_url.rstrip('/')}{WEBHOOK_PATH}?{urlencode(query)}"


def parse_webhook_url(url: str | None) -> AttemptKey | None:
    """Job and attempt out of an address of ours; None for any other address."""
    query = _query(url)
    return attempt_key(query.get("jobId"), query.get("attempt"))


def output_kind(url: str | None) -> OutputKind:
    """How the output is read of the prediction that an address of ours was given for."""
    told = _query(url).get("output")
    return OutputKind(told) if told in set(OutputKind) else OutputKind.FILES


def _query(url: str | None) -> dict[str, str]:
    """Nothing of an address that is not ours."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return {}
    if not parts.path.endswith(WEBHOOK_PATH):
        return {}
    return {name: values[-1] for name, values in parse_qs(parts.query).items()}


def attempt_key(job_id: object, attempt: object) -> AttemptKey | None:
    if not is_job_id(job_id) or not _ATTEMPT.fullmatch(str(attempt)):
        return None
    return AttemptKey(str(job_id), int(str(attempt)))
