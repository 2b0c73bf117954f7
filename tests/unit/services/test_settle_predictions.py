"""Every prediction is settled at last, whichever of webhook, poller or repair hears of its end."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.fakes import MemoryCache
from tests.support.jobs import INTENT, as_kept
from tests.unit.services.conftest import World
from tests.unit.services.test_ends import failure, make_ends, status, submit, success
from tests.unit.services.test_poll_predictions import poll
from tests.unit.services.test_process_webhook import body, deliver
from vsl.domain.api.caller import Caller
from vsl.domain.errors import JobNotEnded, ProviderUnavailable
from vsl.domain.jobs.job import FinishedJob, JobStatus, OrphanedPrediction
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus
from vsl.services.api.delete_job import DeleteJob
from vsl.services.api.erase_job import EraseJob
from vsl.services.completion.settle_predictions import PATIENCE

COST = Decimal("0.25")  # what `deliver` says that a prediction costs


@pytest.fixture
def ends(world: World) -> World:
    world.repository.create_job(world.job, None)
    return make_ends(world)


def down() -> None:
    raise ProviderUnavailable("down")


def cost(world: World) -> Decimal | None:
    return world.repository.finished[world.job.job_id].actual_cost


def running_on(world: World, ends: World) -> str:
    """A job that has failed while the provider could not be reached."""
    replicate_id = submit(world)
    world.provider.before_read = down
    failure(world, ends, "PredictionTimedOut")
    world.provider.before_read = lambda: None
    assert world.item().status is JobStatus.FAILED
    assert cost(world) is None
    assert world.item().unsettled
    return replicate_id


def repair(world: World, ends: World) -> list[str]:
    """What the poller asked for, done."""
    poll(world)
    asked, world.repaired[:] = world.repaired[:], []
    return [ends.repair_execution(job, "gone") for job in asked]


def let_go(world: World, ends: World) -> bool:
    """Whether the poller takes the job out of its index."""
    world.clock.advance(600)
    assert repair(world, ends) == []
    world.clock.advance(600)
    return list(world.tracking.due(world.clock.now(), 10)) == []


def test_what_cancel_answers_is_used(world: World, ends: World) -> None:
    """Three quarters of a minute on a GPU are paid for although nothing came of them."""
    replicate_id = submit(world)
    failure(world, ends, "PredictionTimedOut")
    outcome = world.item().outcome
    assert outcome is not None
    assert (outcome.replicate_id, outcome.status) == (replicate_id, PredictionStatus.CANCELED)
    assert world.repository.finished[world.job.job_id].predict_time == 1.5
    assert not world.item().unsettled
    assert world.tracking.due(world.clock.now(), 10) == []


def test_a_late_webhook_settles_a_job_that_has_ended(world: World, ends: World) -> None:
    replicate_id = running_on(world, ends)
    ends.cache.put(world.item().result)  # type: ignore[arg-type]
    ended = body(world, id=replicate_id, status="canceled", metrics={"predict_time": 2})
    assert deliver(world, ended) == "settled"
    assert cost(world) == COST
    assert world.item().result == as_kept(world.repository.status(world.job.job_id))
    assert isinstance(ends.cache, MemoryCache)
    assert status(world, ends)["actualCost"] is None, "of this cache the webhook knows nothing"
    ends.cache.documents = world.cache.documents
    assert status(world, ends)["actualCost"] == str(COST)
    assert let_go(world, ends)
    world.deduplication.remembers = False
    assert deliver(world, ended) == "duplicate"


def test_without_its_webhook_the_poller_has_it_settled(world: World, ends: World) -> None:
    running_on(world, ends)
    assert repair(world, ends) == ["settled"]
    assert world.repository.finished[world.job.job_id].predict_time == 1.5
    assert world.item().result == as_kept(world.repository.status(world.job.job_id))
    assert let_go(world, ends)


def test_while_the_provider_is_down_the_job_stays_in_the_index(world: World, ends: World) -> None:
    running_on(world, ends)
    world.provider.before_read = down
    for _ in range(3):
        assert repair(world, ends) == ["unsettled"]
        world.clock.advance(600)
    world.provider.before_read = lambda: None
    assert repair(world, ends) == ["settled"]
    assert let_go(world, ends)


def test_a_prediction_that_the_provider_forgot_is_settled_without_its_cost(
    world: World, ends: World
) -> None:
    del world.provider.predictions[running_on(world, ends)]
    assert repair(world, ends) == ["unsettled"]
    world.clock.advance(PATIENCE.total_seconds() + 1)
    assert repair(world, ends) == ["settled"]
    assert cost(world) is None
    assert let_go(world, ends)


def test_an_end_heard_while_the_failure_was_written_is_settled(
    world: World, ends: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webhook wrote the outcome between RecordFailure's look at the item and its write."""
    replicate_id = submit(world)
    written = world.repository.finish_job

    def meanwhile(finished: FinishedJob) -> object:
        ended = world.provider.end(replicate_id)
        world.tracking.record_outcome(
            world.job.job_id, Outcome.of(ended, "webhook"), world.clock.now()
        )
        return written(finished)

    monkeypatch.setattr(world.repository, "finish_job", meanwhile)
    world.provider.before_read = down
    failure(world, ends, "ExecutionStopped")
    world.provider.before_read = lambda: None
    assert cost(world) is None
    assert repair(world, ends) == ["settled"]
    assert cost(world) == Decimal("0.003")


def test_a_prediction_attached_while_the_job_ended_is_its_own(world: World, ends: World) -> None:
    """The step goes on after its execution was stopped: it attaches what it has just created."""
    end = FinishedJob(world.job, JobStatus.FAILED, world.clock.now(), error_code="ExecutionStopped")
    ends.repository.finish_job(end)
    replicate_id = submit(world)
    ends.finish_job(end)
    assert world.item().unsettled
    assert repair(world, ends) == ["settled"]
    kept = world.repository.finished[world.job.job_id]
    assert (kept.replicate_id, kept.predict_time) == (replicate_id, 1.5)
    assert let_go(world, ends)


def test_a_job_that_ended_with_another_prediction_has_this_one_as_an_orphan(
    world: World, ends: World
) -> None:
    end = FinishedJob(
        world.job,
        JobStatus.FAILED,
        world.clock.now(),
        replicate_id="another",
        error_code="ExecutionStopped",
        actual_cost=Decimal(0),
    )
    ends.repository.finish_job(end)
    replicate_id = submit(world)
    ends.finish_job(end)
    assert repair(world, ends) == ["settled"]
    assert set(world.repository.orphans) == {replicate_id}
    assert cost(world) == 0
    assert let_go(world, ends)


def lost(world: World) -> Prediction:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    address = webhook_url("https://api.example.com", world.job.job_id, 1)
    return world.provider.create(
        "black-forest-labs/flux-schnell", {"prompt": "a lighthouse"}, address, 60
    )


def test_a_lost_submission_is_looked_for_beyond_the_end(world: World, ends: World) -> None:
    found = lost(world)
    world.provider.before_read = down
    failure(world, ends, "SubmissionUncertain")
    assert repair(world, ends) == ["unsettled"]
    world.provider.before_read = lambda: None
    world.clock.advance(60)
    repair(world, ends)
    assert world.provider.canceled == [found.id]
    world.clock.advance(60)
    assert repair(world, ends) == ["settled"]
    assert set(world.repository.orphans) == {found.id}
    assert let_go(world, ends)


def stopped_while_it_submits(world: World, ends: World) -> None:
    """The job ends while nobody knows whether the provider has accepted its submission."""
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    world.provider.before_read = down
    failure(world, ends, "SubmissionUncertain")
    world.provider.before_read = lambda: None


def released_in_the_end(world: World, ends: World) -> None:
    assert world.item().unsettled
    for _ in range(3):
        world.clock.advance(600)
        repair(world, ends)
    assert not world.item().unsettled
    assert world.repository.money.holds[world.job.job_id].settled


def test_a_submission_that_never_was_is_settled_once_that_is_proved(
    world: World, ends: World
) -> None:
    stopped_while_it_submits(world, ends)
    others = world.provider.others(400, world.clock.now(), 60)
    world.clock.advance(60)
    repair(world, ends)
    assert world.item().unsettled
    world.clock.advance(600)
    for _ in range(4):
        repair(world, ends)
        world.clock.advance(600)
    assert not world.item().unsettled
    assert {each.id for each in others} <= set(world.provider.asked)
    assert world.repository.orphans == {}
    assert let_go(world, ends)


def test_a_refusal_that_comes_after_the_end_leaves_the_hold_to_the_repair(
    world: World, ends: World
) -> None:
    """The step that submits goes on when its execution is stopped; it cannot give money back."""
    stopped_while_it_submits(world, ends)
    assert not world.tracking.withdraw_intent(world.job.job_id, 1)
    released_in_the_end(world, ends)


def test_a_refusal_between_the_two_writes_of_an_end_leaves_the_hold_to_the_repair(
    world: World, ends: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = world.repository.finish_job

    def refused_meanwhile(finished: FinishedJob) -> Any:
        document = finish(finished)
        assert world.tracking.withdraw_intent(world.job.job_id, 1)
        return document

    monkeypatch.setattr(world.repository, "finish_job", refused_meanwhile)
    stopped_while_it_submits(world, ends)
    released_in_the_end(world, ends)


def test_one_prediction_that_cannot_be_read_does_not_hold_the_others(
    world: World, ends: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = running_on(world, ends)
    orphans = [world.provider.create("model", {}, "https://x", 60).id for _ in range(3)]
    for each in orphans:
        world.tracking.add_orphan(
            world.job.job_id, OrphanedPrediction(each, world.clock.now(), "webhook")
        )
    read = world.provider.get

    def get(replicate_id: str) -> Prediction | None:
        if replicate_id in {own, orphans[0]}:
            down()
        return read(replicate_id)

    with monkeypatch.context() as patch:
        patch.setattr(world.provider, "get", get)
        assert repair(world, ends) == ["unsettled"]
    assert {orphan.replicate_id for orphan in world.item().unsettled_orphans} == {orphans[0]}
    world.clock.advance(60)
    assert repair(world, ends) == ["settled"]
    assert set(world.repository.orphans) == set(orphans)


def delete_job(world: World) -> None:
    nothing: Any = None
    erase = EraseJob(
        repository=world.repository,
        erasure=nothing,
        tracking=world.tracking,
        objects=nothing,
        limits=nothing,
        cache=world.cache,
        clock=world.clock,
    )
    DeleteJob(world.repository, nothing, world.tracking, erase)(world.job.job_id, Caller())


def test_a_job_is_not_deleted_before_its_predictions_are_settled(world: World, ends: World) -> None:
    """Its item is where their ends are heard."""
    running_on(world, ends)
    with pytest.raises(JobNotEnded, match="not settled"):
        delete_job(world)
    repair(world, ends)
    with pytest.raises(AttributeError):
        delete_job(world)
    assert world.tracking.deleted(world.job.job_id)


def test_an_orphan_heard_of_while_the_job_is_being_deleted_is_not_lost(
    world: World, ends: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    success(world, ends)
    late = world.provider.create("model", {}, "https://x", 60)
    read = world.tracking.get

    def meanwhile(job_id: str) -> TrackedJob | None:
        item = read(job_id)
        world.tracking.add_orphan(job_id, OrphanedPrediction(late.id, world.clock.now(), "webhook"))
        return item

    with monkeypatch.context() as patch:
        patch.setattr(world.tracking, "get", meanwhile)
        with pytest.raises(JobNotEnded):
            delete_job(world)
    assert repair(world, ends) == ["settled"]
    assert set(world.repository.orphans) == {late.id}


def test_an_orphan_that_its_last_webhook_settles_is_looked_at_no_more(
    world: World, ends: World
) -> None:
    success(world, ends)
    late = world.provider.create("model", {}, "https://x", 60)
    ended = body(world, id=late.id, status="canceled", output=None)
    assert deliver(world, ended) == "orphaned"
    assert world.repository.orphans[late.id].cost == COST
    assert list(world.tracking.due(world.clock.now() + PATIENCE, 10)) == []
