"""A job that waits for a slot: every POST takes one, its places are its own, and it leaves at once."""

import itertools
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.support.fakes import NoLimits, NoSlots
from tests.unit.services.conftest import World
from tests.unit.services.test_submission import AnswerLostError
from vsl.domain.errors import (
    JobCanceled,
    ResubmitPrediction,
    SlotUnavailable,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.jobs.flow import Flow
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.pacing.await_slot import AwaitSlot
from vsl.services.pacing.join_queue import JoinQueue
from vsl.services.pacing.wake_queued import WakeQueued
from vsl.services.ports.pacing import Turn

_tokens = itertools.count()
LONGEST = timedelta(hours=6)


class OneSlot(NoSlots):
    """`kept`: a slot was granted and is kept; otherwise there is none."""

    def __init__(self, *, kept: bool = False) -> None:
        super().__init__()
        self.kept = kept
        self.refuses = False

    def spend(self, _job_id: str, _now: object) -> None:
        self.kept = False

    def throttled(self, _job_id: str, _now: object, _retry_after: float) -> None:
        assert self.refuses, "the provider has refused nothing"

    def join(self, _job_id: str, _flow: Flow, _now: object) -> Turn:
        return Turn(granted=self.kept, position=0 if self.kept else 3, starts_in=60.0)


def await_slot(world: World, slots: OneSlot, error: VslError | None) -> Turn:
    port: Any = cast("Any", slots)
    wake = WakeQueued(world.tracking, world.tokens, world.limits, world.clock)
    join = JoinQueue(world.tracking, port, world.clock, wake, lambda: None)
    return AwaitSlot(
        tracking=world.tracking,
        slots=port,
        limits=world.limits,
        tokens=world.tokens,
        clock=world.clock,
        join_queue=join,
        complete_wait=world.complete_wait,
        longest=LONGEST,
    )(world.job.job_id, f"token {next(_tokens)}", error)


def interrupted(world: World) -> None:
    submitted = world.submit_prediction(world.job)
    ended = world.provider.end(
        submitted.replicate_id,
        PredictionStatus.FAILED,
        error="Prediction interrupted; please retry (code: PA)",
    )
    world.tracking.record_outcome(world.job.job_id, Outcome.of(ended, "webhook"), world.clock.now())


def test_a_prediction_that_the_platform_broke_off_is_repeated_in_a_slot_of_its_own(
    world: World,
) -> None:
    interrupted(world)
    slots = OneSlot(kept=True)
    turn = await_slot(world, slots, ResubmitPrediction("The platform broke it off."))
    assert not turn.granted, "the slot of the first is used up"
    item = world.item()
    assert item.queued_at is not None
    assert (item.replicate_id, len(item.abandoned_ids)) == (None, 1)
    assert world.submit_prediction(world.job).attempt == 2


def test_an_attempt_that_was_lost_is_repeated_in_a_slot_of_its_own(world: World) -> None:
    def die() -> None:
        raise AnswerLostError

    world.provider.before_create = die
    with pytest.raises(AnswerLostError):
        world.submit_prediction(world.job)
    world.provider.before_create = lambda: None
    world.clock.advance(60)
    with pytest.raises(SlotUnavailable) as caught:
        world.submit_prediction(world.job)
    assert not world.provider.predictions, "nothing is posted without a slot"
    turn = await_slot(world, OneSlot(kept=True), caught.value)
    assert not turn.granted
    assert world.item().queued_at is not None
    assert world.submit_prediction(world.job).attempt == 2


def test_the_slot_that_a_dispatcher_granted_meanwhile_is_taken(world: World) -> None:
    turn = await_slot(world, OneSlot(kept=True), SlotUnavailable("None is free."))
    assert turn.granted
    assert world.item().queued_at is None


def test_a_job_keeps_its_places_in_the_limits_while_it_waits_and_after(world: World) -> None:
    limits = world.limits
    assert isinstance(limits, NoLimits)
    now = world.clock.now()
    await_slot(world, OneSlot(), None)
    assert limits.extended == [(world.job.user_id, world.job.job_id, now + LONGEST)]
    world.clock.advance(3600)
    WakeQueued(world.tracking, world.tokens, limits, world.clock)(world.item())
    assert limits.extended[-1][2] == world.item().deadline
    assert world.item().deadline > world.clock.now(), "it counts from its turn"


@pytest.mark.parametrize(
    "error", [JobCanceled("The user canceled the job."), SubmissionUncertain("Too late.")]
)
def test_a_job_that_ends_while_it_waits_leaves_the_queue(world: World, error: VslError) -> None:
    slots = NoSlots()
    world.slots = cast("Any", slots)
    await_slot(world, OneSlot(), None)
    world.fail_job(world.job, error)
    assert slots.given_back == [world.job.job_id]


def test_a_job_that_fails_later_has_no_place_to_give_back(world: World) -> None:
    slots = NoSlots()
    world.slots = cast("Any", slots)
    world.submit_prediction(world.job)
    world.fail_job(world.job, SubmissionUncertain("Too late."))
    assert slots.given_back == []


def test_waiting_takes_nothing_of_a_job_s_own_time_and_repeating_gives_none(world: World) -> None:
    own = world.item().deadline
    start = world.clock.now()
    used = timedelta(0)
    for error in (None, SlotUnavailable("Throttled.", retryAfter=5), ResubmitPrediction("Lost.")):
        world.clock.advance(10)  # at work
        used += timedelta(seconds=10)
        slots = OneSlot()
        slots.refuses = True
        await_slot(world, slots, error)
        assert world.item().deadline <= start + timedelta(seconds=10) + LONGEST
        world.clock.advance(3600)
        WakeQueued(world.tracking, world.tokens, world.limits, world.clock)(world.item())
        left = world.item().deadline - world.clock.now()
        assert left == own - start - used


def test_a_provider_that_refuses_for_ever_ends_the_job_when_its_first_wait_would_have_ended(
    world: World,
) -> None:
    slots = OneSlot()
    slots.refuses = True
    ends = world.clock.now() + LONGEST
    for _ in range(5):
        await_slot(world, slots, SlotUnavailable("Throttled.", retryAfter=5))
        assert world.item().deadline == ends
        world.clock.advance(600)
        WakeQueued(world.tracking, world.tokens, world.limits, world.clock)(world.item())
