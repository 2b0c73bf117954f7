"""Every order of what meets in a job, each happening once or twice: one end, and nobody waits for it.

The events stand a second and a half apart. Two orders cannot occur: a job waits, and its wait runs
out, only after the answer to its submission.
"""

from collections.abc import Iterator
from itertools import permutations

import pytest

from tests.fault.conftest import EVERYTHING
from tests.fault.harness.campaign import Campaign
from tests.fault.harness.replicate import Script
from tests.fault.harness.world import Scenario

pytestmark = [
    pytest.mark.no_cover,  # thousands of whole jobs: measuring them doubles their time
    pytest.mark.thorough,
]

ANSWER, START, END, TOKEN, POLL, CANCEL, TIMEOUT = EVENTS = (
    "create answer",
    "start webhook",
    "terminal webhook",
    "token registration",
    "poll",
    "cancel",
    "timeout",
)
# After the poller's first look at the job is due, so that every poll really asks.
FIRST_SLOT = 12.0
SLOT = 1.5
# The effects between the start of the execution and the provider's acceptance.
ACCEPTED_AT = 0.42
PROMPTLY = 5.0

type Order = tuple[str, ...]


def orders(events: tuple[str, ...]) -> Iterator[Order]:
    for order in permutations(events):
        answered = order.index(ANSWER)
        if answered < order.index(TOKEN) and (
            TIMEOUT not in order or answered < order.index(TIMEOUT)
        ):
            yield order


def scenario(order: Order, twice: frozenset[str], *, ends_early: bool) -> Scenario:
    """`ends_early`: the prediction is over before the first event, and only its webhooks are late."""
    at = {event: FIRST_SLOT + SLOT * place for place, event in enumerate(order)}
    runs_for = 0.1 if ends_early or END not in at else at[END] - ACCEPTED_AT
    functions = {ANSWER: "SubmitPrediction", TOKEN: "AwaitPrediction"}

    def times(event: str) -> tuple[float, ...]:
        return (at[event],) * (1 + (event in twice)) if event in at else ()

    return Scenario(
        ", ".join(f"{event} twice" if event in twice else event for event in order),
        Script(
            starts_after=0.05,
            runs_for=runs_for,
            start_webhook_at=at[START],
            end_webhook_at=max(at[END], ACCEPTED_AT + runs_for),
            copies=1 + (START in twice or END in twice),
        ),
        holds=(
            ("after replicate.create", at[ANSWER]),
            ("before await_prediction", at[TOKEN]),
        ),
        cancel_at=times(CANCEL),
        polls_at=times(POLL),
        wait_ends_at=at.get(TIMEOUT),
        doubled=frozenset(functions[event] for event in twice if event in functions),
        may_time_out=TIMEOUT in at,
        ends=frozenset(
            {"succeeded", "canceled", "failed"} if TIMEOUT in at else {"succeeded", "canceled"}
        ),
    )


def try_all(events: tuple[str, ...], twice: frozenset[str], ends_early: bool) -> Campaign:
    campaign = Campaign()
    for order in orders(events):
        chosen = scenario(order, twice & set(order), ends_early=ends_early)
        world = campaign.run(chosen, {})
        last = FIRST_SLOT + SLOT * len(order)
        if world.ended_at is None or world.ended_at > last + PROMPTLY:
            campaign.failures.append(f"{chosen.name}: ended at {world.ended_at} s")
    assert not campaign.failures, "\n".join(campaign.failures)
    return campaign


ONCE, EACH_TWICE = frozenset[str](), frozenset(EVENTS)
# Which of them come twice, and whether the prediction ends before them all.
FORMS = [(ONCE, True), (EACH_TWICE, False)]
OTHER_FORMS = [(ONCE, False), (EACH_TWICE, True)]
ONE_TWICE = [
    (frozenset({event}), early) for event in EVENTS if event != TIMEOUT for early in (True, False)
]
WITHOUT_TIMEOUT = FORMS + OTHER_FORMS + ONE_TWICE if EVERYTHING else FORMS
WITH_TIMEOUT = FORMS + OTHER_FORMS


def name(form: tuple[frozenset[str], bool]) -> str:
    twice, early = form
    many = "each twice" if twice == EACH_TWICE else f"{min(twice)} twice" if twice else "once"
    return f"{many}, ends {'before' if early else 'at its webhook'}"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("form", WITHOUT_TIMEOUT, ids=name)
def test_every_order(form: tuple[frozenset[str], bool]) -> None:
    campaign = try_all(tuple(event for event in EVENTS if event != TIMEOUT), *form)
    assert campaign.cases == 360
    assert {"cancel won", "poller won", "webhook won"} <= set(campaign.taken)
    assert {"outcome before token", "webhook before create answer"} <= set(campaign.taken)
    assert set(campaign.ends) == {"succeeded", "canceled"}


@pytest.mark.skipif(not EVERYTHING, reason="make faults; test_any_order has them one by one")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("form", WITH_TIMEOUT, ids=name)
def test_every_order_with_a_timeout(form: tuple[frozenset[str], bool]) -> None:
    campaign = try_all(EVENTS, *form)
    assert campaign.cases == 1680
