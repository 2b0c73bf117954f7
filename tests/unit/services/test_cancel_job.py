"""A cancel in every status: idempotent, reaching the provider, never undoing what is finished."""

import pytest

from tests.support.jobs import make_job
from tests.unit.services.conftest import World
from vsl.domain.caller import Caller
from vsl.domain.errors import JobNotFound
from vsl.domain.job import FinishedJob, JobStatus
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome, PredictionStatus
from vsl.domain.status import finished_document
from vsl.services.cancel_job import cancel_job
from vsl.services.rendezvous import register_token


def cancel(world: World, job_id: str | None = None, user_id: str | None = None) -> LiveJob:
    return cancel_job(
        job_id or world.job.job_id,
        Caller(named=user_id),
        live=world.live,
        provider=world.provider,
        callbacks=world.callbacks,
        clock=world.clock,
        metrics=world.metrics,
    )


def submit(world: World) -> str:
    now = world.clock.now()
    world.live.write_intent(world.job.job_id, 1, now, now)
    prediction = world.provider.create("model", {}, "https://x", 60)
    world.live.record_prediction(world.job.job_id, 1, prediction.id, now, "workflow")
    return prediction.id


def wait(world: World) -> None:
    register_token(
        world.job.job_id, "token", live=world.live, callbacks=world.callbacks, clock=world.clock
    )


def test_before_submission_the_wish_is_noted(world: World) -> None:
    assert cancel(world).cancel_requested_at == world.clock.now()
    now = world.clock.now()
    assert world.live.write_intent(world.job.job_id, 1, now, now) is None


def test_a_running_prediction_is_canceled_and_the_wait_ends(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    cancel(world)
    assert world.provider.canceled == [replicate_id]
    assert world.callbacks.results() == [("token", "JobCanceled")]


def test_canceling_twice_is_canceling_once(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    first = cancel(world)
    world.clock.advance(5)
    second = cancel(world)
    assert second.cancel_requested_at == first.cancel_requested_at
    assert world.provider.canceled == [replicate_id]
    assert world.callbacks.results() == [("token", "JobCanceled")]


def test_a_prediction_that_was_faster_is_kept(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    world.provider.end(replicate_id, PredictionStatus.SUCCEEDED)
    cancel(world)
    assert world.provider.canceled == []
    assert world.callbacks.results() == [("token", "succeeded")]


def test_a_cancel_before_the_wait_meets_it(world: World) -> None:
    submit(world)
    cancel(world)
    wait(world)
    assert world.callbacks.results() == [("token", "JobCanceled")]


def test_an_ended_job_stays_as_it_is(world: World) -> None:
    ended = FinishedJob(world.job, JobStatus.SUCCEEDED, world.clock.now())
    world.live.finish(ended, finished_document(ended))
    item = cancel(world)
    assert item.status is JobStatus.SUCCEEDED
    assert item.cancel_requested_at is None


def test_after_the_outcome_the_provider_is_not_asked(world: World) -> None:
    replicate_id = submit(world)
    outcome = Outcome.of(world.provider.end(replicate_id), "webhook")
    world.live.record_outcome(world.job.job_id, outcome, world.clock.now())
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
    assert world.live.get(world.job.job_id).cancel_requested_at is None  # type: ignore[union-attr]
    assert cancel(world, user_id=world.job.user_id).cancel_requested_at is not None
