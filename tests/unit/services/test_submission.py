"""Exactly one paid prediction per job, whatever happens to the answer and to the step."""

from datetime import datetime

import pytest

from tests.support.use_cases import GRACE
from tests.unit.services.conftest import World
from vsl.domain.errors import (
    ConfigurationError,
    JobCanceled,
    PredictionTimedOut,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    SlotUnavailable,
    StoreUnavailable,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.jobs.webhook_url import parse_webhook_url
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus
from vsl.services.submission.attach_prediction import Submitted


def run(world: World) -> Submitted:
    try:
        return world.submit_prediction(world.job)
    except SlotUnavailable as error:
        if not error.details.get("spent"):
            raise
        return world.submit_prediction(world.job)  # once it has another slot


class AnswerLostError(Exception):
    """The step dies right after the provider accepted."""


def lose_answer(_prediction: Prediction) -> None:
    raise AnswerLostError


def test_the_intent_stands_before_the_provider_is_asked(world: World) -> None:
    seen: list[tuple[int, bool]] = []

    def look() -> None:
        item = world.item()
        seen.append((item.attempt, item.intent_at is not None))

    world.provider.before_create = look
    submitted = run(world)
    assert seen == [(1, True)]
    assert submitted.how == "created"
    webhook = world.provider.predictions[submitted.replicate_id].webhook
    assert parse_webhook_url(webhook) == (world.job.job_id, 1)
    assert world.item().replicate_id == submitted.replicate_id


def test_running_again_changes_nothing(world: World) -> None:
    first, second = run(world), run(world)
    assert second == Submitted(first.replicate_id, 1, "known")
    assert len(world.provider.predictions) == 1


def test_a_lost_answer_is_found_in_the_providers_list(world: World) -> None:
    world.provider.on_create = lose_answer
    with pytest.raises(AnswerLostError):
        run(world)
    world.provider.on_create = lambda _: None
    world.clock.advance(3)
    assert run(world).how == "adopted"
    assert len(world.provider.predictions) == 1


def test_a_lost_answer_is_adopted_from_the_webhook(world: World) -> None:
    def webhook_then_death(prediction: Prediction) -> None:
        world.tracking.record_prediction(
            world.job.job_id, 1, prediction.id, world.clock.now(), "webhook"
        )
        raise AnswerLostError

    world.provider.on_create = webhook_then_death
    with pytest.raises(AnswerLostError):
        run(world)
    assert run(world).how == "known"
    assert len(world.provider.predictions) == 1


def test_without_a_trace_nothing_is_paid_before_the_grace_period(world: World) -> None:
    def die_before() -> None:
        raise AnswerLostError

    world.provider.before_create = die_before
    with pytest.raises(AnswerLostError):
        run(world)
    world.provider.before_create = lambda: None
    world.clock.advance(GRACE.total_seconds() - 1)
    with pytest.raises(SubmissionUncertain):
        run(world)
    assert not world.provider.predictions
    world.clock.advance(1)
    assert run(world).attempt == 2
    assert len(world.provider.predictions) == 1


def test_an_unreadable_list_is_no_proof(world: World) -> None:
    world.provider.on_create = lose_answer
    with pytest.raises(AnswerLostError):
        run(world)

    def unreachable() -> None:
        raise ProviderUnavailable("down")

    world.provider.before_read = unreachable
    world.clock.advance(3600)
    with pytest.raises(SubmissionUncertain):
        run(world)
    assert len(world.provider.predictions) == 1


@pytest.mark.parametrize("refusal", [ProviderThrottled, ProviderUnavailable, ProviderRejected])
def test_proof_of_refusal_frees_the_next_attempt_at_once(
    world: World, refusal: type[Exception]
) -> None:
    def refuse() -> None:
        raise refusal("no")

    world.provider.before_create = refuse
    with pytest.raises(SlotUnavailable if refusal is ProviderThrottled else refusal):
        run(world)
    assert world.item().intent_at is None
    world.provider.before_create = lambda: None
    assert run(world).attempt == 2
    assert len(world.provider.predictions) == 1


def test_two_predictions_of_one_job_leave_one_running(world: World) -> None:
    """Attempt 1 shows up in the list only after attempt 2 was paid for."""
    world.provider.on_create = lose_answer
    with pytest.raises(AnswerLostError):
        run(world)
    hidden = world.provider.predictions.copy()
    world.provider.predictions.clear()
    world.clock.advance(60)

    def late_webhook_of_the_first(_prediction: Prediction) -> None:
        (first,) = hidden
        world.tracking.record_prediction(world.job.job_id, 1, first, world.clock.now(), "webhook")

    world.provider.on_create = late_webhook_of_the_first
    submitted = run(world)
    (first,) = hidden
    assert submitted.replicate_id == first
    assert len(world.provider.canceled) == 1
    assert first not in world.provider.canceled
    assert world.metrics.names().count("OrphanedPrediction") == 1


def test_an_early_end_is_no_reason_to_submit_again(world: World) -> None:
    def ends_before_the_answer(prediction: Prediction) -> None:
        ended = world.provider.end(prediction.id)
        world.tracking.record_outcome(
            world.job.job_id, Outcome.of(ended, "webhook"), world.clock.now()
        )

    world.provider.on_create = ends_before_the_answer
    submitted = run(world)
    assert world.item().replicate_id == submitted.replicate_id
    assert run(world).how == "known"


def test_a_job_that_has_ended_is_not_submitted(world: World) -> None:
    from tests.support.jobs import make_job
    from vsl.domain.jobs.job import FinishedJob, JobStatus
    from vsl.domain.jobs.status import finished_document

    canceled = FinishedJob(make_job(), JobStatus.CANCELED, world.clock.now())
    world.tracking.finish(canceled, finished_document(canceled))
    with pytest.raises(JobCanceled):
        run(world)
    assert not world.provider.predictions


def interrupt(world: World) -> str:
    """Submit, and let the provider's platform break the prediction off."""
    submitted = run(world)
    error = "Prediction interrupted; please retry (code: PA)"
    ended = world.provider.end(submitted.replicate_id, PredictionStatus.FAILED, error)
    world.tracking.record_outcome(world.job.job_id, Outcome.of(ended, "webhook"), world.clock.now())
    return submitted.replicate_id


def test_an_interrupted_prediction_is_repeated_once(world: World) -> None:
    first = interrupt(world)
    second = run(world)
    assert second.replicate_id != first
    assert (second.attempt, second.how) == (2, "created")
    assert world.item().abandoned_ids == {first}
    assert world.item().outcome is None
    third = interrupt(world)
    assert third == second.replicate_id
    assert run(world) == Submitted(third, 2, "known"), "the policy allows one repetition"
    assert len(world.provider.predictions) == 2


def test_a_repetition_whose_answer_was_lost_is_not_taken_for_the_first(world: World) -> None:
    first = interrupt(world)
    world.provider.on_create = lose_answer
    with pytest.raises(AnswerLostError):
        run(world)
    world.provider.on_create = lambda _: None
    adopted = run(world)
    assert adopted.how == "adopted"
    assert adopted.replicate_id != first
    assert len(world.provider.predictions) == 2


def test_nothing_is_submitted_after_a_cancel(world: World) -> None:
    world.tracking.request_cancel(world.job.job_id, world.clock.now())
    with pytest.raises(JobCanceled):
        run(world)
    assert not world.provider.predictions


def test_a_cancel_during_the_post_is_honoured(world: World) -> None:
    def cancel_now(_prediction: Prediction) -> None:
        world.tracking.request_cancel(world.job.job_id, world.clock.now())

    world.provider.on_create = cancel_now
    with pytest.raises(JobCanceled):
        run(world)
    assert world.item().replicate_id is not None, "so that RecordFailure can stop it"


def test_abandoning_twice_is_abandoning_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conditional write whose answer is lost is sent again by the client and then refused."""
    first = interrupt(world)
    abandon = world.tracking.abandon_prediction

    def abandon_twice(job_id: str, replicate_id: str, at: datetime) -> TrackedJob | None:
        abandon(job_id, replicate_id, at)
        return abandon(job_id, replicate_id, at)

    monkeypatch.setattr(world.tracking, "abandon_prediction", abandon_twice)
    second = run(world)
    assert second.how == "created"
    assert second.replicate_id != first


def test_past_its_deadline_nothing_is_submitted(world: World) -> None:
    """It would be paid for and stopped at once."""
    world.clock.at = world.item().deadline
    with pytest.raises(PredictionTimedOut):
        run(world)
    assert not world.provider.predictions
    assert world.item().attempt == 0


@pytest.mark.parametrize("kind", [StoreUnavailable, ConfigurationError])
def test_a_submission_that_could_not_be_sent_frees_the_next_attempt_at_once(
    world: World, kind: type[VslError]
) -> None:
    """The token's parameter could not be read: nothing has left."""

    def refuse() -> None:
        raise kind("no token")

    world.provider.before_create = refuse
    with pytest.raises(kind):
        run(world)
    assert world.item().intent_at is None
