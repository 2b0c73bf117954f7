"""The door holds its answer back for a client that would rather wait: `Prefer: wait=N`."""

import time
from collections.abc import Callable

from vsl.domain.caller import Caller
from vsl.domain.job import JobStatus
from vsl.domain.status import StatusDocument
from vsl.services.await_change import await_change
from vsl.services.get_status import StatusStores, read_status


def wait_for_job(
    job_id: str,
    user_id: str,
    seconds: float,
    stores: StatusStores,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> StatusDocument | None:
    """The job's document once it has ended, None if it has not within `seconds`."""
    owner, until = Caller(named=user_id), monotonic() + seconds

    def read() -> StatusDocument:
        return read_status(job_id, owner, stores)

    document = read()
    while not JobStatus(document["status"]).terminal:
        left = until - monotonic()
        if left <= 0:
            return None
        document = await_change(document, read, left, sleep=sleep, monotonic=monotonic)
    return document
