"""A long poll: it ends with news, with its time, and asks neither often nor in vain."""

from datetime import timedelta

import pytest

from tests.support.fakes import START, PlainSigner
from tests.support.jobs import make_asset, make_job
from vsl.domain.api.caller import Caller
from vsl.domain.api.status_request import StatusRequest
from vsl.domain.errors import InvalidRequest, JobNotFound, StoreUnavailable
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import StatusDocument, current_progress, status_document
from vsl.services.reading.await_change import AwaitChange
from vsl.services.reading.show_status import ShowStatus


def document(status: JobStatus, progress: float | None = None) -> StatusDocument:
    return status_document(make_job(), status, START, progress=progress)


class Watch:
    """Time that passes only while it is slept, and what is read at each look."""

    def __init__(self, *answers: StatusDocument | Exception) -> None:
        self.now = 0.0
        self.answers = list(answers)
        self.looks: list[float] = []

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def read(self) -> StatusDocument:
        self.looks.append(self.now)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait(self, first: StatusDocument, seconds: float) -> StatusDocument:
        return AwaitChange(self.sleep, lambda: self.now)(first, self.read, seconds)


PENDING, PROCESSING = document(JobStatus.PENDING), document(JobStatus.PROCESSING)
DONE = document(JobStatus.SUCCEEDED)


def test_a_job_that_has_ended_is_answered_at_once() -> None:
    watch = Watch(DONE)
    assert watch.wait(DONE, 25) == DONE
    assert (watch.now, watch.looks) == (0, [])


def test_the_first_change_is_answered() -> None:
    watch = Watch(PENDING, PENDING, PROCESSING, DONE)
    assert watch.wait(PENDING, 25) == PROCESSING
    assert watch.looks == pytest.approx([0.3, 0.75, 1.425])


def test_without_a_change_the_latest_answer_comes_when_the_time_is_up() -> None:
    newer = document(JobStatus.PROCESSING, progress=0.5)
    watch = Watch(newer)
    assert watch.wait(PROCESSING, 25) == newer
    assert watch.now == pytest.approx(25)
    assert len(watch.looks) == 27


@pytest.mark.parametrize("seconds", [0, -1.5])
def test_without_time_nothing_is_asked(seconds: float) -> None:
    watch = Watch(DONE)
    assert watch.wait(PENDING, seconds) == PENDING
    assert watch.looks == []


def test_a_store_that_is_away_for_a_moment_is_asked_again() -> None:
    watch = Watch(StoreUnavailable("away"), StoreUnavailable("away"), DONE)
    assert watch.wait(PENDING, 25) == DONE


def test_a_job_that_is_deleted_in_between_is_not_found() -> None:
    with pytest.raises(JobNotFound):
        Watch(JobNotFound("gone")).wait(PENDING, 25)


def parsed(**query: str) -> StatusRequest:
    return StatusRequest.parse("job", Caller(), query)


def test_how_long_one_may_wait() -> None:
    assert parsed().wait == 0
    assert [parsed(wait=text).wait for text in ("0", "7", "25")] == [0, 7, 25]
    for text in ("", "-1", "26", "1.5", "99999", "x", "٣", "5s"):
        with pytest.raises(InvalidRequest):
            parsed(wait=text)
    assert (parsed().with_parameters, parsed(include="parameters").with_parameters) == (False, True)
    with pytest.raises(InvalidRequest):
        parsed(include="everything")


@pytest.mark.parametrize(
    ("status", "told", "elapsed", "shown"),
    [
        (JobStatus.PENDING, None, 3, None),
        (JobStatus.PROCESSING, None, 0, 0.0),
        (JobStatus.PROCESSING, None, -5, 0.0),
        (JobStatus.PROCESSING, None, 2.5, 0.5),
        (JobStatus.PROCESSING, None, 60, 0.95),
        (JobStatus.PROCESSING, 0.25, 60, 0.25),
        (JobStatus.PROCESSING, 1.0, 60, 0.95),
        (JobStatus.STORING, 0.25, 60, 0.95),
        (JobStatus.SUCCEEDED, 0.25, 60, 1.0),
        (JobStatus.FAILED, 0.25, 60, None),
        (JobStatus.CANCELED, None, 60, None),
    ],
)
def test_progress(
    status: JobStatus, told: float | None, elapsed: float, shown: float | None
) -> None:
    standing = status_document(make_job(), status, START, progress=told)
    assert current_progress(standing, START + timedelta(seconds=elapsed)) == shown


def test_a_document_of_an_earlier_version_can_be_shown() -> None:
    """The cache and the tracking items outlive a deployment."""
    old = status_document(make_job(), JobStatus.SUCCEEDED, START, assets=(make_asset(),))
    del old["logs"], old["progress"]
    assert ShowStatus(PlainSigner())(old, START)["logs"] is None
