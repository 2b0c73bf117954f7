"""The door's wait: until the end and no longer than it may."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.jobs import make_job
from tests.support.outside import START, MemoryAccounting, MemoryCache
from vsl.domain.errors import JobNotFound
from vsl.domain.job import JobStatus
from vsl.domain.status import status_document
from vsl.services.get_status import StatusStores
from vsl.services.wait_for_job import wait_for_job

if TYPE_CHECKING:
    from vsl.services.ports import LiveJobs

JOB = make_job()


class NoItems:
    def get(self, _job_id: str) -> None:
        return None


class Waiting:
    """Time passes by sleeping; at some moments the status changes."""

    def __init__(self, changes: dict[float, JobStatus]) -> None:
        self.now = 100.0
        self.changes = {100.0 + at: status for at, status in changes.items()}
        self.cache = MemoryCache()
        self._show()

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self._show()

    def _show(self) -> None:
        status = [status for at, status in sorted(self.changes.items()) if at <= self.now][-1]
        self.cache.put(status_document(JOB, status, START))

    def wait(self, seconds: float, user_id: str = JOB.user_id) -> Any:
        stores = StatusStores(
            self.cache, cast("LiveJobs", NoItems()), cast("Any", MemoryAccounting())
        )
        return wait_for_job(
            JOB.job_id, user_id, seconds, stores, sleep=self.sleep, monotonic=lambda: self.now
        )


@pytest.mark.parametrize("end", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED])
def test_the_end_is_waited_for_through_every_change(end: JobStatus) -> None:
    waiting = Waiting({0: JobStatus.PENDING, 1: JobStatus.PROCESSING, 4: JobStatus.STORING, 6: end})
    assert waiting.wait(10)["status"] == end
    assert 106 <= waiting.now < 107.5


@pytest.mark.parametrize("seconds", [0.2, 3.0])
def test_no_longer_than_asked(seconds: float) -> None:
    waiting = Waiting({0: JobStatus.PROCESSING, 60: JobStatus.SUCCEEDED})
    assert waiting.wait(seconds) is None
    assert waiting.now == pytest.approx(100 + seconds)


@pytest.mark.parametrize("seconds", [0, -3.5])
def test_without_time_it_looks_once(seconds: float) -> None:
    assert Waiting({0: JobStatus.PROCESSING}).wait(seconds) is None
    assert Waiting({0: JobStatus.SUCCEEDED}).wait(seconds)["status"] == "succeeded"


def test_it_waits_for_nobody_elses_job() -> None:
    with pytest.raises(JobNotFound):
        Waiting({0: JobStatus.SUCCEEDED}).wait(5, "somebody-else")
