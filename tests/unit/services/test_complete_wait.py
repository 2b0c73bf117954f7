"""The waiting job and the end of its prediction meet once, in either order."""

import itertools
from collections.abc import Callable

import pytest

from tests.support.jobs import INTENT
from tests.unit.services.conftest import World
from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.jobs.status import finished_document
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus


def prediction(
    status: PredictionStatus = PredictionStatus.SUCCEEDED, error: str | None = None
) -> Prediction:
    return Prediction(
        id="p" * 26, status=status, output=["https://replicate.delivery/a"], error=error
    )


def outcome_arrives(world: World, source: str = "webhook", **changes: object) -> bool:
    world.clock.advance(0.001)
    outcome = Outcome.of(prediction(**changes), source)  # type: ignore[arg-type]
    return world.record_outcome(world.job.job_id, outcome).first


def token_arrives(world: World, token: str = "token-1") -> bool:
    return world.await_prediction(world.job.job_id, token)[1]


def test_the_waiter_comes_first(world: World) -> None:
    assert not token_arrives(world)
    assert world.tokens.answers == []
    assert outcome_arrives(world)
    assert world.tokens.results() == [("token-1", "succeeded")]


def test_the_outcome_comes_first(world: World) -> None:
    assert outcome_arrives(world)
    assert token_arrives(world)
    assert world.tokens.results() == [("token-1", "succeeded")]


STEPS: dict[str, Callable[[World], object]] = {
    "token": token_arrives,
    "webhook": outcome_arrives,
    "poller": lambda world: outcome_arrives(world, "poller"),
}


ORDERS = sorted(set(itertools.permutations(["token", "webhook", "webhook", "poller"])))


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_every_order_wakes_the_job_once(world: World, order: tuple[str, ...]) -> None:
    for name in order:
        STEPS[name](world)
    assert world.tokens.results() == [("token-1", "succeeded")]
    assert world.item().token_completed
    assert world.tracking.due(world.clock.now(), 10) == []


def test_a_retried_wait_gets_the_answer_on_its_new_token(world: World) -> None:
    token_arrives(world, "token-1")
    token_arrives(world, "token-2")
    outcome_arrives(world)
    assert world.tokens.results() == [("token-2", "succeeded")]


def test_a_wait_retried_after_the_release_is_answered_again(world: World) -> None:
    token_arrives(world, "token-1")
    outcome_arrives(world)
    assert token_arrives(world, "token-2")
    assert world.tokens.results() == [("token-1", "succeeded"), ("token-2", "succeeded")]


def test_a_release_that_failed_is_made_good_by_the_next_delivery(world: World) -> None:
    class DownError(Exception):
        pass

    def down(*_: object) -> None:
        raise DownError

    token_arrives(world)
    succeed, world.tokens.succeed = world.tokens.succeed, down  # type: ignore[method-assign, assignment]
    with pytest.raises(DownError):
        outcome_arrives(world)
    assert not world.item().token_completed
    world.tokens.succeed = succeed  # type: ignore[method-assign]
    assert not outcome_arrives(world)
    assert world.tokens.results() == [("token-1", "succeeded")]


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (PredictionStatus.FAILED, "CUDA out of memory", "PredictionFailed"),
        (PredictionStatus.FAILED, "NSFW content detected.", "ContentFlagged"),
        (PredictionStatus.FAILED, "interrupted; please retry (code: PA)", "ResubmitPrediction"),
        (PredictionStatus.CANCELED, None, "PredictionCanceled"),
        (PredictionStatus.ABORTED, None, "PredictionCanceled"),
    ],
)
def test_a_bad_end_fails_the_wait_by_name(
    world: World, status: PredictionStatus, error: str | None, expected: str
) -> None:
    token_arrives(world)
    outcome_arrives(world, status=status, error=error)
    assert world.tokens.results() == [("token-1", expected)]


def test_a_prediction_canceled_at_its_time_limit_has_timed_out(world: World) -> None:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    token_arrives(world)
    world.clock.advance(world.job.timeout_seconds)
    outcome_arrives(world, status=PredictionStatus.CANCELED)
    assert world.tokens.results() == [("token-1", "PredictionTimedOut")]


def test_an_ended_job_does_not_wait(world: World) -> None:
    canceled = FinishedJob(world.job, JobStatus.CANCELED, world.clock.now())
    world.tracking.finish(canceled, finished_document(canceled))
    assert token_arrives(world)
    assert world.tokens.results() == [("token-1", "JobCanceled")]


def test_the_outcome_of_another_prediction_is_not_taken(world: World) -> None:
    now = world.clock.now()
    world.tracking.record_prediction(world.job.job_id, 1, "q" * 26, now, "workflow")
    token_arrives(world)
    assert not outcome_arrives(world)
    assert world.tokens.answers == []


def test_a_late_note_of_the_release_does_not_hide_the_next_attempt(world: World) -> None:
    """Between the answer and its note the job was submitted again: the poller must see that."""
    job_id, now = world.job.job_id, world.clock.now()
    world.tracking.write_intent(job_id, 1, now, now, INTENT)
    token_arrives(world)
    world.tracking.withdraw_intent(job_id, 1)
    world.tracking.write_intent(job_id, 2, now, now, INTENT)
    world.tracking.record_token_completed(job_id, "token-1", 1, now)
    assert world.tracking.due(now, 10) == [job_id]
    world.tracking.record_token_completed(job_id, "token-1", 2, now)
    assert world.tracking.due(now, 10) == []
