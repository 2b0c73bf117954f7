"""Hold an answer back until the status changes, so that a client need not ask every second."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import StatusDocument

# Redis answers most reads; the document of a running job there is at most two seconds old, the end is
# there as soon as it is written.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.3, 1.0


@dataclass(frozen=True, slots=True)
class AwaitChange:
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def __call__(
        self, document: StatusDocument, read: Callable[[], StatusDocument], seconds: float
    ) -> StatusDocument:
        """The document once its status has changed, or after `seconds`; immediately if the job has ended.

        A store that does not answer in between is asked again; other errors of `read` are raised.
        """
        until, pause = self.monotonic() + seconds, _FIRST_PAUSE
        latest = document
        while latest["status"] == document["status"] and not JobStatus(latest["status"]).terminal:
            left = until - self.monotonic()
            if left <= 0:
                break
            self.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            try:
                latest = read()
            except StoreUnavailable:
                continue
        return latest
