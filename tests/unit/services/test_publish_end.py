"""The end of a job is published at least once; the next step publishes an end that was not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.fakes import RecordingPublisher
from tests.support.jobs import make_job
from tests.unit.services.conftest import World
from tests.unit.services.test_ends import failure, make_ends, status, success
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.job import OrphanedPrediction


@pytest.fixture
def told() -> RecordingPublisher:
    return RecordingPublisher()


@pytest.fixture
def ends(world: World, told: RecordingPublisher) -> World:
    return replace(make_ends(world), publisher=told)


def away() -> None:
    raise StoreUnavailable("SQS did not answer.")


def repair(world: World, ends: World) -> str:
    """An execution that ended badly, as EventBridge tells."""
    return ends.repair_execution(world.job.job_id, "stopped", None, "arn:execution")


def test_an_end_is_published_once_however_often_it_is_looked_at(
    world: World, ends: World, told: RecordingPublisher
) -> None:
    failure(world, ends, "PredictionFailed")
    failure(world, ends, "PredictionFailed")
    assert repair(world, ends) == "nothing to do"
    assert told.told == [("failed", False)]


def test_a_good_end_is_not_noted_as_published_and_may_be_published_twice(
    world: World, ends: World, told: RecordingPublisher
) -> None:
    success(world, ends)
    assert not world.item().published, "a write that nearly no job has a use for"
    assert repair(world, ends) == "published"
    assert told.told == [("succeeded", False)] * 2


def test_a_look_at_what_an_ended_job_cost_publishes_no_good_end_again(
    world: World, ends: World, told: RecordingPublisher
) -> None:
    success(world, ends)
    late = world.provider.create("model", {}, "https://x", 60)
    world.tracking.add_orphan(
        world.job.job_id, OrphanedPrediction(late.id, world.clock.now(), "webhook")
    )
    result = ends.repair_execution(world.job.job_id, "gone")
    assert result == "settled"
    assert told.told == [("succeeded", False)]


@pytest.mark.parametrize(
    ("error", "ends_as"), [("PredictionFailed", "failed"), ("JobCanceled", "canceled")]
)
def test_every_end_is_published(
    world: World, ends: World, told: RecordingPublisher, error: str, ends_as: str
) -> None:
    failure(world, ends, error)
    assert told.told == [(ends_as, False)]


def test_a_client_is_called_where_the_job_says_so(
    world: World, ends: World, told: RecordingPublisher
) -> None:
    job = make_job("called", callback_url="https://client.example/ended")
    world.tracking.create(job, job.deadline, None)
    failure(replace(world, job=job), ends, "PredictionFailed")
    assert told.told == [("failed", True)]


HEALERS: dict[str, Callable[[World, World], object]] = {
    "the step again": success,
    "record_failure": lambda world, ends: failure(world, ends, "StoreUnavailable"),
    "repair_execution": repair,
}


@pytest.mark.parametrize("healer", HEALERS.values(), ids=HEALERS)
def test_an_event_that_failed_is_published_later_and_changes_no_end(
    world: World,
    ends: World,
    told: RecordingPublisher,
    healer: Callable[[World, World], object],
) -> None:
    told.before = away
    with pytest.raises(StoreUnavailable):
        success(world, ends)
    assert status(world, ends)["status"] == "succeeded", "the client need not wait for it"
    assert told.told == []
    told.before = lambda: None
    healer(world, ends)
    assert told.told == [("succeeded", False)]
    assert status(world, ends)["status"] == "succeeded"


def test_nothing_is_published_before_the_end_is_written(world: World, ends: World) -> None:
    seen = []
    publisher = RecordingPublisher(before=lambda: seen.append(world.item().status.terminal))
    success(world, replace(ends, publisher=publisher))
    assert seen == [True]
