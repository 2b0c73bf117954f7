"""Which job is meant: a whole id, the beginning of one, or `last`."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cli.client.errors import CommandError, Exit
from cli.client.formatting import SHORT

if TYPE_CHECKING:
    from cli.client.api import Api

LAST = "last"
_WHOLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEGINNING = re.compile(r"[0-9a-f-]{1,36}")
_TIME_DIGITS = 12  # a job id begins with its time: milliseconds in twelve hexadecimal digits
_SLACK = timedelta(minutes=5)
_EARLIEST, _LATEST = 946_684_800_000, 200_000_000_000_000  # the years 2000 and 8307
_MOST = 1000


def find_job(api: "Api", wanted: str) -> str:
    """The job's id. Raises CommandError when none or several are meant."""
    wanted = wanted.strip().lower()
    user = api.target.user
    named = user or "The key's user"
    if wanted == LAST:
        newest = api.page_of_jobs(userId=user, limit=1)["jobs"]
        if not newest:
            hint = (
                f"`{api.target.command('generate MODEL')}` makes the first, --user takes another's."
            )
            raise CommandError("NoJobs", f"{named} has no jobs yet.", Exit.NOT_FOUND, hint)
        return str(newest[0]["jobId"])
    if _WHOLE.fullmatch(wanted):
        return wanted
    if not _BEGINNING.fullmatch(wanted):
        message = f"{wanted!r} is not a job: give an id, the first characters of one, or `last`."
        hint = f"`{api.target.command('jobs')}` lists them."
        raise CommandError("InvalidJob", message, Exit.REFUSED, hint)
    after, before = _span(wanted)
    candidates, _ = api.many_jobs(
        _MOST, userId=user, createdAfter=after.isoformat(), createdBefore=before.isoformat()
    )
    found = [str(job["jobId"]) for job in candidates if str(job["jobId"]).startswith(wanted)]
    if not found:
        message = f"{named} has no job that begins with {wanted}."
        hint = f"`{api.target.command('jobs')}` lists yours, --user takes another's."
        raise CommandError("JobNotFound", message, Exit.NOT_FOUND, hint)
    if len(found) > 1:
        message = f"{len(found)} jobs begin with {wanted}: {', '.join(found[:5])}"
        hint = f"Give more of the id; {SHORT} characters are nearly always enough."
        raise CommandError("AmbiguousJob", message, Exit.REFUSED, hint, jobs=found[:20])
    return found[0]


def _span(beginning: str) -> tuple[datetime, datetime]:
    """The times a job with this beginning may have been created at."""
    digits = beginning.replace("-", "")[:_TIME_DIGITS]
    return _time(digits.ljust(_TIME_DIGITS, "0")) - _SLACK, _time(
        digits.ljust(_TIME_DIGITS, "f")
    ) + _SLACK


def _time(digits: str) -> datetime:
    """Cut to the years that jobs can be of, for beginnings that none has."""
    milliseconds = min(max(int(digits, 16), _EARLIEST), _LATEST)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
