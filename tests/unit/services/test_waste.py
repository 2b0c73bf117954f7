"""A prediction without a use is stopped and booked, though it never says that it has ended."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.jobs import make_job
from tests.unit.services.conftest import World
from tests.unit.services.test_ends import make_books, success
from tests.unit.services.test_poll_predictions import poll, submit, wait
from vsl.domain.job import FinishedJob, JobStatus, MediaType, Waste
from vsl.domain.prediction import PredictionStatus
from vsl.services.book_waste import PATIENCE
from vsl.services.finish import Books, finish
from vsl.services.repair_execution import repair_execution
from vsl.services.submission import discard


@pytest.fixture
def books(world: World) -> Books:
    world.accounting.create_job(world.job, None)
    return make_books(world)


def stray(world: World) -> str:
    """A second prediction of the job; the process that finds it dies before it can stop it."""
    return world.provider.create("model", {}, "https://x", 60).id


def note(world: World, replicate_id: str) -> None:
    world.live.add_waste(world.job.job_id, Waste(replicate_id, world.clock.now(), "webhook"))


def repair(world: World, books: Books) -> list[str]:
    """What the poller asked for, done."""
    asked, world.repaired[:] = world.repaired[:], []
    return [repair_execution(job, "gone", None, books, world.provider) for job in asked]


def test_waste_noted_after_the_end_is_stopped_and_booked(world: World, books: Books) -> None:
    success(world, books)
    late = stray(world)
    note(world, late)
    poll(world)
    assert repair(world, books) == ["waste"]
    assert world.provider.canceled == [late]
    assert set(world.accounting.waste) == {late}
    assert world.item().unbooked == ()
    world.clock.advance(120)
    poll(world)
    assert repair(world, books) == []
    assert world.live.due(world.clock.now() + timedelta(days=1), 10) == []


def test_waste_of_a_running_job_is_stopped_at_once_and_booked_after_its_end(
    world: World, books: Books
) -> None:
    submit(world)
    late = stray(world)
    note(world, late)
    world.clock.advance(10)
    poll(world)
    assert world.provider.canceled == [late]
    wait(world)
    success(world, books)
    assert world.accounting.waste[late].cost is None
    poll(world)
    assert repair(world, books) == ["waste"]
    assert world.item().waste[0].ended


def test_what_a_finished_stray_cost_is_found_in_the_job_s_own_parameters(world: World) -> None:
    """The live item has no parameters, and the price of this model hangs on two of them."""
    asked = {"duration": 5, "resolution": "480p"}
    video = make_job("v", media_type=MediaType.VIDEO, model_id="seedance-1-lite", parameters=asked)
    world.live.create(video, video.created_at, None)
    world.accounting.create_job(video, None)
    books = make_books(world)
    finish(FinishedJob(video, JobStatus.CANCELED, world.clock.now()), books)
    late = world.provider.end(stray(world))
    discard(
        video.job_id,
        Waste(late.id, world.clock.now(), "webhook"),
        late,
        live=world.live,
        provider=world.provider,
        metrics=world.metrics,
    )
    assert repair_execution(video.job_id, "gone", None, books, world.provider) == "waste"
    assert world.accounting.waste[late.id].cost == Decimal("0.09")


def test_waste_that_the_provider_forgot_is_not_followed_for_ever(
    world: World, books: Books
) -> None:
    success(world, books)
    note(world, "forgotten")
    for _ in range(2):
        poll(world)
        assert repair(world, books) == ["waste"]
        assert len(world.item().unbooked) == 1
        world.clock.advance(120)
    world.clock.advance(PATIENCE.total_seconds())
    poll(world)
    repair(world, books)
    assert world.accounting.waste["forgotten"].cost is None
    assert world.item().unbooked == ()


def test_waste_that_comes_up_meanwhile_keeps_the_job_in_sight(world: World, books: Books) -> None:
    success(world, books)
    note(world, stray(world))
    poll(world)
    repair(world, books)
    before = world.item()
    note(world, stray(world))
    world.live.unfollow(before)
    assert world.live.due(world.clock.now() + PATIENCE, 10) == [world.job.job_id]


def test_a_known_waste_is_not_opened_again(world: World, books: Books) -> None:
    success(world, books)
    late = world.provider.end(stray(world), PredictionStatus.FAILED).id
    note(world, late)
    poll(world)
    repair(world, books)
    note(world, late)
    assert world.item().unbooked == ()


def test_an_ended_job_with_waste_is_no_wait(world: World, books: Books) -> None:
    submit(world)
    success(world, books)
    note(world, stray(world))
    world.clock.advance(5000)
    world.metrics.timed.clear()
    poll(world)
    assert ("OldestWaiting", 0.0) in world.metrics.timed
