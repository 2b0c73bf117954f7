"""The poller heals what the webhook left undone, and only looks at what is due."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from tests.support.jobs import INTENT
from tests.unit.services.conftest import World
from vsl.domain.errors import ProviderUnavailable, VslError
from vsl.domain.jobs.status import tracked_document
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.prediction import PredictionStatus


def poll(world: World, reported: list[str] | None = None) -> dict[str, int]:
    def report(job_id: str, error: VslError) -> None:
        if reported is not None:
            reported.append(error.code)

    poll_predictions = world.poll_predictions(report, world.repaired.append)
    return poll_predictions(world.clock.now() + timedelta(minutes=1))


def submit(world: World, *, record: bool = True) -> str:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now + timedelta(seconds=10), INTENT)
    url = webhook_url("https://api.example.com", world.job.job_id, 1)
    prediction = world.provider.create("model", {}, url, 120)
    if record:
        world.tracking.record_prediction(world.job.job_id, 1, prediction.id, now, "workflow")
    return prediction.id


def wait(world: World) -> None:
    world.await_prediction(world.job.job_id, "token")


def test_a_lost_webhook_is_made_good(world: World) -> None:
    world.provider.end(submit(world))
    wait(world)
    assert poll(world)["settled"] == 0, "not due yet"
    world.clock.advance(10)
    assert poll(world)["settled"] == 1
    assert world.tokens.results() == [("token", "succeeded")]
    assert ("OutcomeRecorded", {"source": "poller"}) in world.metrics.counted
    assert poll(world) == {"settled": 0, "waiting": 0, "failed": 0, "left": 0}


def test_a_running_prediction_is_asked_less_and_less(world: World) -> None:
    submit(world)
    checks: list[datetime] = []
    for _ in range(60):
        world.clock.advance(10)
        if poll(world)["waiting"]:
            checks.append(world.clock.now())
    gaps = [(b - a).total_seconds() for a, b in pairwise(checks)]
    assert gaps == [10, 20, 40, 80, 120, 120, 120]


def test_what_a_running_prediction_tells_is_kept(world: World) -> None:
    replicate_id = submit(world)
    running = world.provider.predictions[replicate_id]
    for logs, tail, progress in (
        ("", None, None),
        ("booting\n", "booting\n", None),
        (" 10%|\r 40%|", " 40%|", 0.4),
        ("saving", "saving", 0.4),
    ):
        world.provider.predictions[replicate_id] = replace(running, logs=logs)
        world.clock.advance(130)
        world.clock.at = min(world.clock.at, world.item().deadline - timedelta(seconds=1))
        assert poll(world)["waiting"] == 1
        assert (world.item().logs, world.item().progress) == (tail, progress)
    document = tracked_document(world.item())
    assert (document["logs"], document["progress"]) == ("saving", 0.4)


def test_an_intent_without_an_id_finds_its_prediction(world: World) -> None:
    replicate_id = submit(world, record=False)
    world.provider.end(replicate_id)
    wait(world)
    world.clock.advance(10)
    assert poll(world)["settled"] == 1
    assert world.item().replicate_id == replicate_id
    assert len(world.provider.predictions) == 1


def test_an_outcome_whose_release_failed_is_released(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    from vsl.domain.predictions.prediction import Outcome

    outcome = Outcome.of(world.provider.end(replicate_id), "webhook")
    world.tracking.record_outcome(world.job.job_id, outcome, world.clock.now())
    world.clock.advance(10)
    assert poll(world)["settled"] == 1
    assert world.tokens.results() == [("token", "succeeded")]


def test_past_its_deadline_a_prediction_is_stopped(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    world.clock.at = world.item().deadline
    assert poll(world)["settled"] == 1
    assert world.provider.canceled == [replicate_id]
    assert world.tokens.results() == [("token", "PredictionTimedOut")]


def test_past_its_deadline_a_finished_prediction_is_used(world: World) -> None:
    world.provider.end(submit(world))
    wait(world)
    world.clock.at = world.item().deadline
    poll(world)
    assert world.provider.canceled == []
    assert world.tokens.results() == [("token", "succeeded")]


def test_a_provider_that_is_down_is_reported_and_asked_again(world: World) -> None:
    replicate_id = submit(world)
    wait(world)

    def down() -> None:
        raise ProviderUnavailable("down")

    world.provider.before_read = down
    world.clock.advance(10)
    reported: list[str] = []
    assert poll(world, reported)["failed"] == 1
    assert reported == ["ProviderUnavailable"]
    world.provider.before_read = lambda: None
    world.provider.end(replicate_id, PredictionStatus.SUCCEEDED)
    world.clock.advance(10)
    assert poll(world)["settled"] == 1


def test_the_oldest_wait_is_measured(world: World) -> None:
    submit(world)
    world.clock.advance(42)
    poll(world)
    assert world.metrics.timed == [("OldestWaiting", 42.0)]


def park(world: World) -> None:
    """An intent whose POST left no trace, and the job parked on its token."""
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now + timedelta(seconds=10), INTENT)
    wait(world)


def test_an_uncertain_job_submits_again_only_after_the_grace_period(world: World) -> None:
    park(world)
    world.clock.advance(40)
    assert poll(world)["waiting"] == 1
    assert world.tokens.answers == []
    world.clock.advance(10)
    assert poll(world)["settled"] == 1
    assert world.tokens.results() == [("token", "ResubmitPrediction")]
    assert world.item().intent_at is None


def test_an_uncertain_job_waits_while_the_list_cannot_be_read(world: World) -> None:
    park(world)

    def down() -> None:
        raise ProviderUnavailable("down")

    world.provider.before_read = down
    world.provider.create("model", {}, webhook_url("https://x", world.job.job_id, 1), 60)
    world.clock.advance(600)
    assert poll(world)["failed"] == 1
    assert world.tokens.answers == []
    world.clock.at = world.item().deadline
    poll(world)
    assert world.tokens.results() == [("token", "SubmissionUncertain")]


def test_an_uncertain_job_that_was_canceled_ends(world: World) -> None:
    park(world)
    world.tracking.request_cancel(world.job.job_id, world.clock.now())
    world.clock.advance(10)
    assert poll(world)["settled"] == 1
    assert world.tokens.results() == [("token", "JobCanceled")]


def test_a_cancel_that_did_not_reach_the_provider_is_made_good(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    world.tracking.request_cancel(world.job.job_id, world.clock.now())
    world.clock.advance(10)
    poll(world)
    assert world.provider.canceled == [replicate_id]
    assert world.tokens.results() == [("token", "JobCanceled")]


def test_a_job_whose_execution_never_began_is_repaired(world: World) -> None:
    for second, times in ((-1, 0), (0, 1)):
        world.clock.at = world.job.first_check + timedelta(seconds=second)
        poll(world)
        assert world.repaired == [world.job.job_id] * times
    for second, times in ((-1, 1), (0, 2)):
        world.clock.at = world.item().deadline + timedelta(seconds=second)
        poll(world)
        assert world.repaired == [world.job.job_id] * times


def test_the_deadline_is_not_slept_through(world: World) -> None:
    replicate_id = submit(world)
    wait(world)
    world.clock.at = world.item().deadline - timedelta(seconds=1)
    assert poll(world)["waiting"] == 1
    world.clock.advance(1)
    assert poll(world)["settled"] == 1
    assert world.provider.canceled == [replicate_id]


def test_a_withdrawal_whose_token_was_not_completed_completes_it_in_the_next_run(
    world: World,
) -> None:
    park(world)
    assert world.tracking.withdraw_intent(world.job.job_id, 1)
    world.clock.advance(60)
    assert poll(world)["settled"] == 1
    assert world.tokens.results() == [("token", "ResubmitPrediction")]


def test_a_job_that_trips_the_poller_is_reported_and_put_back(world: World) -> None:
    """Else it would stay the longest overdue, and no run would ever get past it."""
    submit(world)

    def trip() -> None:
        raise KeyError("unforeseen")

    world.provider.before_read = trip
    world.clock.advance(10)
    reported: list[str] = []
    assert poll(world, reported)["failed"] == 1
    assert reported == ["InternalError"]
    assert world.tracking.due(world.clock.now(), 10) == []
