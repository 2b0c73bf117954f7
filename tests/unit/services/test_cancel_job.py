"""A cancel in every status: idempotent, reaching the provider, never undoing what is finished."""

from datetime import timedelta

import pytest

from tests.support.jobs import INTENT, make_job
from tests.unit.services.conftest import World
from vsl.domain.api.caller import Caller
from vsl.domain.errors import JobNotFound
from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.jobs.status import finished_document
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Outcome, PredictionStatus


def cancel(world: World, job_id: str | None = None, user_id: str | None = None) -> TrackedJob:
    return world.cancel_job(job_id or world.job.job_id, Caller(named=user_id))


def submit(world: World) -> str:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    prediction = world.provider.create("model", {}, "https://x", 60)
    world.tracking.record_prediction(world.job.job_id, 1, prediction.id, now, "workflow")
    return prediction.id


def wait(world: World) -> None:
    world.await_prediction(world.job.job_id, "token")


def test_before_submission_the_wish_is_noted(world: World) -> None:
    assert cancel(world).cancel_requested_at == world.clock.now()
    now = world.clock.now()
    assert world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT) is None


def test_a_running_prediction_is_canceled_and_the_wait_ends(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    cancel(world)
    assert world.provider.canceled == [replicate_id]
    assert world.tokens.results() == [("token", "JobCanceled")]


def test_canceling_twice_is_canceling_once(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    first = cancel(world)
    world.clock.advance(5)
    second = cancel(world)
    assert second.cancel_requested_at == first.cancel_requested_at
    assert world.provider.canceled == [replicate_id]
    assert world.tokens.results() == [("token", "JobCanceled")]


def test_a_prediction_that_was_faster_is_kept(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    world.provider.end(replicate_id, PredictionStatus.SUCCEEDED)
    cancel(world)
    assert world.provider.canceled == []
    assert world.tokens.results() == [("token", "succeeded")]


def test_a_cancel_before_the_wait_meets_it(world: World) -> None:
    submit(world)
    cancel(world)
    wait(world)
    assert world.tokens.results() == [("token", "JobCanceled")]


def test_an_ended_job_stays_as_it_is(world: World) -> None:
    ended = FinishedJob(world.job, JobStatus.SUCCEEDED, world.clock.now())
    world.tracking.finish(ended, finished_document(ended))
    item = cancel(world)
    assert item.status is JobStatus.SUCCEEDED
    assert item.cancel_requested_at is None


def test_an_end_that_the_wish_brought_about_at_once_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The woken execution may be quicker than the answer, which is the same in either order."""
    submit(world)
    wait(world)

    def end(_token: str, _error: str, _cause: str) -> None:
        canceled = FinishedJob(world.job, JobStatus.CANCELED, world.clock.now())
        world.tracking.finish(canceled, finished_document(canceled))

    monkeypatch.setattr(world.tokens, "fail", end)
    item = cancel(world)
    assert world.item().status is JobStatus.CANCELED
    assert (item.status.terminal, item.cancel_requested_at) == (False, world.clock.now())


def test_after_the_outcome_the_provider_is_not_asked(world: World) -> None:
    replicate_id = submit(world)
    outcome = Outcome.of(world.provider.end(replicate_id), "webhook")
    world.tracking.record_outcome(world.job.job_id, outcome, world.clock.now())
    assert cancel(world).cancel_requested_at is not None
    assert world.provider.canceled == []


@pytest.mark.parametrize("job_id", ["", "nonsense", make_job("unknown").job_id])
def test_an_unknown_job_is_not_found(world: World, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        cancel(world, job_id or "?")


def test_a_strangers_wish_changes_nothing(world: World) -> None:
    submit(world)
    with pytest.raises(JobNotFound):
        cancel(world, user_id="stranger")
    assert world.tracking.get(world.job.job_id).cancel_requested_at is None  # type: ignore[union-attr]
    assert cancel(world, user_id=world.job.user_id).cancel_requested_at is not None


def test_a_submission_that_is_still_looked_for_does_not_hold_the_end_back(world: World) -> None:
    now = world.clock.now()
    later = now + timedelta(minutes=2)
    world.tracking.write_intent(world.job.job_id, 1, now, later, INTENT)
    wait(world)
    assert world.tracking.due(now, 10) == []
    cancel(world)
    assert world.tracking.due(now, 10) == [world.job.job_id]
