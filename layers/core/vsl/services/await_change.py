"""Hold an answer back until there is news, so that a client need not ask every second."""

import time
from collections.abc import Callable

from vsl.domain.errors import InvalidRequest, StoreUnavailable
from vsl.domain.job import JobStatus
from vsl.domain.prefer import LONGEST_WAIT
from vsl.domain.status import StatusDocument

# Redis answers most looks; a live answer there is at most two seconds old, the end is there at once.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.3, 1.0


def wait_seconds(text: str | None) -> int:
    """Raises InvalidRequest unless it is a whole number of seconds up to LONGEST_WAIT."""
    if text is None:
        return 0
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else -1
    if not 0 <= number <= LONGEST_WAIT:
        message = f"must be a whole number of seconds from 0 to {LONGEST_WAIT}"
        raise InvalidRequest(f"wait {message}.", fields=[{"field": "wait", "message": message}])
    return number


def await_change(
    document: StatusDocument,
    read: Callable[[], StatusDocument],
    seconds: float,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> StatusDocument:
    """The job as it stands when its status has changed, or after `seconds`; at once if it has ended.

    A store that does not answer in between is asked again; what `read` raises else goes through.
    """
    until, pause = monotonic() + seconds, _FIRST_PAUSE
    latest = document
    while latest["status"] == document["status"] and not JobStatus(latest["status"]).terminal:
        left = until - monotonic()
        if left <= 0:
            break
        sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        try:
            latest = read()
        except StoreUnavailable:
            continue
    return latest
