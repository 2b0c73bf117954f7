"""The wait in the API workflow: until the end and no longer than it may."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.fakes import (
    START,
    FewPlaces,
    MemoryCache,
    MemoryJobRepository,
    PlainSigner,
    SteppedClock,
    StillQueue,
)
from tests.support.jobs import make_asset, make_job
from vsl.domain.errors import JobNotFound
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import status_document
from vsl.services.reading.await_change import AwaitChange
from vsl.services.reading.hold_wait_place import HoldWaitPlace
from vsl.services.reading.live_documents import LiveDocuments
from vsl.services.reading.read_status import ReadStatus
from vsl.services.reading.show_status import ShowStatus
from vsl.services.reading.wait_for_job import WaitForJob
from vsl.services.reading.waited import Waited

if TYPE_CHECKING:
    from vsl.services.ports.tracking import TrackingStore

JOB = make_job()


class NoItems:
    def get(self, _job_id: str) -> None:
        return None


class Waiting:
    """Time passes by sleeping; at some moments the status changes."""

    def __init__(self, changes: dict[float, JobStatus], free: int = 1) -> None:
        self.now = 100.0
        self.changes = {100.0 + at: status for at, status in changes.items()}
        self.cache = MemoryCache()
        self.places = FewPlaces(free)
        self.taken: list[list[tuple[str, str]]] = []
        self._show()

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self.taken.append(list(self.places.taken))
        self._show()

    def _show(self) -> None:
        status = [status for at, status in sorted(self.changes.items()) if at <= self.now][-1]
        assets = (make_asset(),) if status is JobStatus.SUCCEEDED else ()
        self.cache.put(status_document(JOB, status, START, assets=assets))

    def wait(self, seconds: float, user_id: str = JOB.user_id) -> Waited:
        clock = SteppedClock()
        wait_for_job = WaitForJob(
            read=ReadStatus(
                self.cache,
                cast("TrackingStore", NoItems()),
                cast("Any", MemoryJobRepository()),
                LiveDocuments(StillQueue(), clock),
            ),
            await_change=AwaitChange(self.sleep, lambda: self.now),
            hold_place=HoldWaitPlace(self.places, clock),
            show=ShowStatus(PlainSigner()),
            clock=clock,
        )
        waited = wait_for_job(JOB.job_id, user_id, "wait-1", seconds)
        assert self.places.taken == {}, "a place is given back"
        return waited

    def status(self, seconds: float) -> str | None:
        """Of the body, if there is one."""
        waited = self.wait(seconds)
        assert waited.granted
        return None if waited.body is None else str(waited.body["status"])


@pytest.mark.parametrize("end", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED])
def test_the_end_is_waited_for_through_every_change(end: JobStatus) -> None:
    waiting = Waiting({0: JobStatus.PENDING, 1: JobStatus.PROCESSING, 4: JobStatus.STORING, 6: end})
    assert waiting.status(10) == end
    assert 106 <= waiting.now < 107.5


def test_the_ended_job_is_shown_as_clients_see_it() -> None:
    body = Waiting({0: JobStatus.SUCCEEDED}).wait(5).body
    assert body is not None
    assert body["result"]["originalUrl"].startswith("signed:")


@pytest.mark.parametrize("seconds", [0.2, 3.0])
def test_no_longer_than_asked(seconds: float) -> None:
    waiting = Waiting({0: JobStatus.PROCESSING, 60: JobStatus.SUCCEEDED})
    waited = waiting.wait(seconds)
    assert waited.body is not None
    assert (waited.ended, waited.body["status"]) == (False, "processing"), "as it stands"
    assert waiting.now == pytest.approx(100 + seconds)


@pytest.mark.parametrize("free", [0, 1])
@pytest.mark.parametrize("seconds", [0, -3.5])
def test_without_time_it_looks_once_and_takes_no_place(seconds: float, free: int) -> None:
    waited = Waiting({0: JobStatus.PROCESSING}, free).wait(seconds)
    assert (waited.granted, waited.ended) == (True, False)
    assert Waiting({0: JobStatus.SUCCEEDED}, free).status(seconds) == "succeeded"


def test_without_a_place_it_does_not_wait() -> None:
    waiting = Waiting({0: JobStatus.PROCESSING, 1: JobStatus.SUCCEEDED}, free=0)
    assert waiting.wait(5) == Waited(granted=False)
    assert waiting.now == 100


def test_a_wait_holds_a_place_until_its_end() -> None:
    waiting = Waiting({0: JobStatus.PROCESSING, 1: JobStatus.SUCCEEDED})
    assert waiting.status(5) == "succeeded"
    assert waiting.taken == [[(JOB.user_id, "wait-1")]] * len(waiting.taken)
    assert waiting.taken


def test_it_does_not_wait_for_a_job_of_another_user() -> None:
    with pytest.raises(JobNotFound):
        Waiting({0: JobStatus.SUCCEEDED}).wait(5, "another-user")
