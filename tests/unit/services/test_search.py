"""Absence is proved by examination: nothing that could be the job's prediction is left unseen."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.support.jobs import make_job
from tests.support.use_cases import GRACE
from tests.unit.services.conftest import World
from tests.unit.services.test_submission import AnswerLostError, lose_answer, run
from vsl.domain.errors import ProviderRejected, ProviderUnavailable, SubmissionUncertain
from vsl.domain.predictions.prediction import Prediction
from vsl.services.submission.attach_prediction import Submitted

# The most readings of one run.
PER_RUN = 200


def lost(world: World) -> Prediction:
    """A submission that the provider accepted, and whose answer was lost."""
    world.provider.on_create = lose_answer
    with pytest.raises(AnswerLostError):
        run(world)
    world.provider.on_create = lambda _: None
    (prediction,) = world.provider.predictions.values()
    return prediction


def never_accepted(world: World) -> None:
    def die_before() -> None:
        raise AnswerLostError

    world.provider.before_create = die_before
    with pytest.raises(AnswerLostError):
        run(world)
    world.provider.before_create = lambda: None


def ours(world: World) -> list[Prediction]:
    return [
        each
        for each in world.provider.predictions.values()
        if each.webhook and world.job.job_id in each.webhook
    ]


def decided(world: World, *, runs: int = 100) -> tuple[Submitted, int]:
    """What the submission comes to, and after how many uncertain runs; none reads without end."""
    for uncertain in range(runs):
        before = len(world.provider.asked)
        try:
            submitted = run(world)
        except SubmissionUncertain:
            assert len(world.provider.asked) - before <= PER_RUN
        else:
            return submitted, uncertain
    raise AssertionError("never decided")


@pytest.mark.parametrize("newer", [0, 60, 3000])
def test_newer_predictions_hide_nothing(world: World, newer: int) -> None:
    found = lost(world)
    world.provider.others(newer, world.clock.now() + timedelta(milliseconds=1), 40)
    world.clock.advance(GRACE.total_seconds())
    submitted, _ = decided(world)
    assert (submitted.replicate_id, submitted.how) == (found.id, "adopted")
    assert len(ours(world)) == 1


def test_with_likely_others_it_is_found_within_one_run(world: World) -> None:
    """Other texts and other models, however many, are no likelier than a needle."""
    found = lost(world)
    for text in ("a harbour", "a fox"):
        world.provider.others(400, world.clock.now(), 40, text)
    world.clock.advance(3)
    assert run(world).replicate_id == found.id
    assert world.provider.asked == [found.id]


@pytest.mark.parametrize("newer", [60, 1500])
def test_nothing_is_paid_for_again_before_everything_was_examined(world: World, newer: int) -> None:
    never_accepted(world)
    others = world.provider.others(newer, world.clock.now(), 100)
    world.clock.advance(120)
    submitted, _ = decided(world)
    assert (submitted.attempt, submitted.how) == (2, "created")
    examined = Counter(world.provider.asked)
    assert {each.id for each in others} <= set(examined)


def test_what_was_examined_is_not_read_again(world: World) -> None:
    never_accepted(world)
    others = world.provider.others(1500, world.clock.now(), 100)
    world.clock.advance(120)
    decided(world)
    # Some at the seam between two runs are read again, so that none falls through it.
    assert len(world.provider.asked) <= len(others) * 1.5


def test_predictions_after_the_window_are_not_read(world: World) -> None:
    """A POST leaves while its step lives; what comes later is not it, and there is no end to it."""
    never_accepted(world)
    world.provider.others(50, world.clock.now() + timedelta(minutes=5), 1000)
    world.clock.advance(2000)
    assert run(world).attempt == 2
    assert world.provider.asked == []


def no_answer(_world: World, _id: str) -> Prediction | None:
    raise ProviderUnavailable("down")


def refusal(_world: World, _id: str) -> Prediction | None:
    raise ProviderRejected("no")


def unknown(_world: World, _id: str) -> Prediction | None:
    return None


def emptied(world: World, replicate_id: str) -> Prediction | None:
    """An hour after the end: whether a webhook was asked for cannot be told."""
    entry = world.provider.predictions[replicate_id]
    return replace(entry, webhook=None, input={}, data_removed=True)


def silent(world: World, replicate_id: str) -> Prediction | None:
    """It looks like ours: should the provider not echo webhooks, it may be ours."""
    return replace(world.provider.predictions[replicate_id], webhook=None)


@pytest.mark.parametrize("answer", [no_answer, refusal, unknown, emptied, silent])
def test_one_candidate_that_cannot_be_examined_leaves_it_uncertain(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[World, str], Prediction | None],
) -> None:
    never_accepted(world)
    others = world.provider.others(20, world.clock.now(), 10)
    world.clock.advance(120)
    read = world.provider.get
    with monkeypatch.context() as patch:
        patch.setattr(
            world.provider,
            "get",
            lambda it: answer(world, it) if it == others[7].id else read(it),
        )
        for _ in range(5):
            with pytest.raises(SubmissionUncertain):
                run(world)
    assert ours(world) == []
    assert decided(world)[0].attempt == 2


def test_predictions_of_programs_without_webhooks_hold_nothing_up(world: World) -> None:
    never_accepted(world)
    for other in world.provider.others(20, world.clock.now(), 10, "a harbour"):
        world.provider.predictions[other.id] = replace(other, webhook=None)
    world.clock.advance(120)
    assert run(world).attempt == 2


def test_a_list_that_breaks_off_is_no_proof(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    never_accepted(world)
    others = world.provider.others(200, world.clock.now(), 100)
    world.clock.advance(120)
    whole = world.provider.list_since

    def first_page(*window: datetime) -> Iterator[Prediction]:
        for number, entry in enumerate(whole(*window)):
            if number == 100:
                raise ProviderUnavailable("down")
            yield entry

    def nothing(*_window: datetime) -> Iterator[Prediction]:
        raise ProviderUnavailable("down")

    for broken in (nothing, first_page, nothing, nothing):
        with monkeypatch.context() as patch:
            patch.setattr(world.provider, "list_since", broken)
            with pytest.raises(SubmissionUncertain) as raised:
                run(world)
            assert not raised.value.details["readable"]
    assert ours(world) == []
    assert decided(world)[0].attempt == 2
    assert {each.id for each in others} <= set(world.provider.asked)


def test_the_likely_come_first_also_after_a_list_that_could_not_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lost(world)
    world.provider.others(120, world.clock.now(), 100, "another text")
    world.clock.advance(120)

    def nothing(*_window: datetime) -> Iterator[Prediction]:
        raise ProviderUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(world.provider, "list_since", nothing)
        with pytest.raises(SubmissionUncertain):
            run(world)
    assert run(world).replicate_id == found.id
    assert world.provider.asked == [found.id]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "replicate/lifeboat", "version": "d-" + "0" * 32},
        {"model": None, "version": None},
        {"version": "7" * 64},
        {"input": {}, "data_removed": True},
        {"input": {"prompt": "a  Lighthouse [shortened]"}},
        {"input": {"image": "https://replicate.delivery/x.png"}},
    ],
    ids=str,
)
def test_whatever_an_entry_shows_it_may_be_ours(world: World, changes: dict[str, object]) -> None:
    """Recorded: the model and the version of an answer need not be those that were asked for."""
    found = lost(world)
    world.provider.predictions[found.id] = replace(found, **changes)  # type: ignore[arg-type]
    world.provider.others(60, world.clock.now() + timedelta(milliseconds=1), 40)
    world.clock.advance(120)
    submitted, _ = decided(world)
    assert submitted.replicate_id == found.id


def test_the_clocks_may_differ(world: World) -> None:
    for seconds in (-50, 50):
        found = lost(world)
        at = world.clock.now() + timedelta(seconds=seconds)
        world.provider.predictions[found.id] = replace(found, created_at=at)
        world.clock.advance(120)
        assert run(world).replicate_id == found.id
        world.provider.predictions.clear()
        world.job = make_job(f"another {seconds}", world.clock.now())
        world.tracking.create(world.job, world.job.deadline, None)


def test_another_job_s_prediction_is_known_unasked(world: World) -> None:
    never_accepted(world)
    others = world.provider.others(30, world.clock.now(), 10)
    for number, each in enumerate(others):
        job = make_job(f"other {number}")
        world.tracking.create(job, job.deadline, None)
        world.tracking.record_prediction(job.job_id, 0, each.id, world.clock.now(), "workflow")
    world.clock.advance(120)
    assert run(world).attempt == 2
    assert world.provider.asked == []


def test_a_list_that_tells_webhooks_needs_no_reading(world: World) -> None:
    world.provider.lists_webhooks = True
    found = lost(world)
    world.provider.others(300, world.clock.now(), 40)
    world.clock.advance(120)
    assert run(world).replicate_id == found.id
    assert world.provider.asked == []
