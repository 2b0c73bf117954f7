"""An orphaned prediction is stopped and booked, even without a webhook of its end."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.jobs import make_job
from tests.unit.services.conftest import World
from tests.unit.services.test_ends import make_ends, success
from tests.unit.services.test_poll_predictions import poll, submit, wait
from vsl.domain.jobs.job import FinishedJob, JobStatus, MediaType, OrphanedPrediction
from vsl.domain.predictions.prediction import PredictionStatus
from vsl.services.completion.settle_predictions import PATIENCE


@pytest.fixture
def ends(world: World) -> World:
    world.repository.create_job(world.job, None)
    return make_ends(world)


def orphaned(world: World) -> str:
    """A second prediction of the job; the process that finds it dies before it can stop it."""
    return world.provider.create("model", {}, "https://x", 60).id


def note(world: World, replicate_id: str) -> None:
    world.tracking.add_orphan(
        world.job.job_id, OrphanedPrediction(replicate_id, world.clock.now(), "webhook")
    )


def repair(world: World, ends: World) -> list[str]:
    """What the poller asked for, done."""
    asked, world.repaired[:] = world.repaired[:], []
    return [ends.repair_execution(job, "gone") for job in asked]


def test_an_orphan_noted_after_the_end_is_stopped_and_booked(world: World, ends: World) -> None:
    success(world, ends)
    late = orphaned(world)
    note(world, late)
    poll(world)
    assert repair(world, ends) == ["settled"]
    assert world.provider.canceled == [late]
    assert set(world.repository.orphans) == {late}
    assert world.item().unsettled_orphans == ()
    world.clock.advance(120)
    poll(world)
    assert repair(world, ends) == []
    assert world.tracking.due(world.clock.now() + timedelta(days=1), 10) == []


def test_an_orphan_of_a_running_job_is_stopped_immediately_and_booked_after_its_end(
    world: World, ends: World
) -> None:
    submit(world)
    late = orphaned(world)
    note(world, late)
    world.clock.advance(10)
    poll(world)
    assert world.provider.canceled == [late]
    wait(world)
    success(world, ends)
    assert world.repository.orphans[late].cost is None
    poll(world)
    assert repair(world, ends) == ["settled"]
    assert world.item().orphans[0].ended


def test_what_a_finished_orphan_cost_is_found_in_the_job_s_own_parameters(world: World) -> None:
    """The tracking item has no parameters, and the price of this model depends on two of them."""
    asked = {"duration": 5, "resolution": "480p"}
    video = make_job("v", media_type=MediaType.VIDEO, model_id="seedance-1-lite", parameters=asked)
    world.tracking.create(video, video.created_at, None)
    world.repository.create_job(video, None)
    ends = make_ends(world)
    ends.finish_job(FinishedJob(video, JobStatus.CANCELED, world.clock.now()))
    late = world.provider.end(orphaned(world))
    orphan = OrphanedPrediction(late.id, world.clock.now(), "webhook")
    world.discard_prediction(video.job_id, orphan, late)
    assert ends.repair_execution(video.job_id, "gone") == "settled"
    assert world.repository.orphans[late.id].cost == Decimal("0.09")


def test_an_orphan_that_the_provider_forgot_is_not_polled_for_ever(
    world: World, ends: World
) -> None:
    success(world, ends)
    note(world, "forgotten")
    for _ in range(2):
        poll(world)
        assert repair(world, ends) == ["unsettled"]
        assert len(world.item().unsettled_orphans) == 1
        world.clock.advance(120)
    world.clock.advance(PATIENCE.total_seconds())
    poll(world)
    repair(world, ends)
    assert world.repository.orphans["forgotten"].cost is None
    assert world.item().unsettled_orphans == ()


def test_an_orphan_found_meanwhile_keeps_the_job_in_the_polling_index(
    world: World, ends: World
) -> None:
    success(world, ends)
    note(world, orphaned(world))
    poll(world)
    repair(world, ends)
    before = world.item()
    note(world, orphaned(world))
    world.tracking.stop_polling(before)
    assert world.tracking.due(world.clock.now() + PATIENCE, 10) == [world.job.job_id]


def test_a_known_orphan_is_not_opened_again(world: World, ends: World) -> None:
    success(world, ends)
    late = world.provider.end(orphaned(world), PredictionStatus.FAILED).id
    note(world, late)
    poll(world)
    repair(world, ends)
    note(world, late)
    assert world.item().unsettled_orphans == ()


def test_an_ended_job_with_an_orphan_is_no_wait(world: World, ends: World) -> None:
    submit(world)
    success(world, ends)
    note(world, orphaned(world))
    world.clock.advance(5000)
    world.metrics.timed.clear()
    poll(world)
    assert ("OldestWaiting", 0.0) in world.metrics.timed
