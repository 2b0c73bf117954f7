"""The end of a job is announced at least once, and whoever comes by heals an announcement that was lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.jobs import make_job
from tests.support.outside import RecordingAnnouncements
from tests.unit.services.conftest import World
from tests.unit.services.test_ends import failure, make_books, status, success
from vsl.domain.errors import StoreUnavailable
from vsl.services.finish import Books
from vsl.services.repair_execution import repair_execution


@pytest.fixture
def told() -> RecordingAnnouncements:
    return RecordingAnnouncements()


@pytest.fixture
def books(world: World, told: RecordingAnnouncements) -> Books:
    return replace(make_books(world), announcements=told)


def away() -> None:
    raise StoreUnavailable("SQS did not answer.")


def repair(world: World, books: Books) -> str:
    return repair_execution(world.job.job_id, "stopped", None, books, world.provider)


def test_an_end_is_announced_once_however_often_it_is_looked_at(
    world: World, books: Books, told: RecordingAnnouncements
) -> None:
    failure(world, books, "PredictionFailed")
    failure(world, books, "PredictionFailed")
    assert repair(world, books) == "nothing to do"
    assert told.told == [("failed", False)]


def test_a_good_end_is_not_noted_as_announced_and_may_be_announced_twice(
    world: World, books: Books, told: RecordingAnnouncements
) -> None:
    success(world, books)
    assert not world.item().announced, "a write that nearly no job has a use for"
    assert repair(world, books) == "announced"
    assert told.told == [("succeeded", False)] * 2


@pytest.mark.parametrize(
    ("error", "ends_as"), [("PredictionFailed", "failed"), ("JobCanceled", "canceled")]
)
def test_every_end_is_announced(
    world: World, books: Books, told: RecordingAnnouncements, error: str, ends_as: str
) -> None:
    failure(world, books, error)
    assert told.told == [(ends_as, False)]


def test_a_client_is_called_where_the_job_says_so(
    world: World, books: Books, told: RecordingAnnouncements
) -> None:
    job = make_job("called", callback_url="https://client.example/ended")
    world.live.create(job, job.deadline, None)
    failure(replace(world, job=job), books, "PredictionFailed")
    assert told.told == [("failed", True)]


HEALERS: dict[str, Callable[[World, Books], object]] = {
    "the step again": success,
    "record_failure": lambda world, books: failure(world, books, "StoreUnavailable"),
    "repair_execution": repair,
}


@pytest.mark.parametrize("healer", HEALERS.values(), ids=HEALERS)
def test_an_announcement_that_failed_is_made_good_and_changes_no_end(
    world: World,
    books: Books,
    told: RecordingAnnouncements,
    healer: Callable[[World, Books], object],
) -> None:
    told.before = away
    with pytest.raises(StoreUnavailable):
        success(world, books)
    assert status(world, books)["status"] == "succeeded", "the client need not wait for it"
    assert told.told == []
    told.before = lambda: None
    healer(world, books)
    assert told.told == [("succeeded", False)]
    assert status(world, books)["status"] == "succeeded"


def test_nothing_is_announced_before_the_end_is_written(world: World, books: Books) -> None:
    seen = []
    announcements = RecordingAnnouncements(before=lambda: seen.append(world.item().status.terminal))
    success(world, replace(books, announcements=announcements))
    assert seen == [True]
