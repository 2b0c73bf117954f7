"""Budgets that fill are told of once, and no job depends on it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.support.fakes import (
    MemoryJobRepository,
    MemoryKeys,
    RecordingMetrics,
    RecordingPublisher,
)
from tests.support.jobs import make_job
from tests.support.memory_money import MemoryMoney
from tests.unit.services.conftest import World
from vsl.domain.errors import BudgetExceeded, StoreUnavailable
from vsl.domain.money.budgets import BudgetDefaults
from vsl.services.admission.create_job import CreateJob
from vsl.services.money.publish_alerts import PublishAlerts

PICTURE = 3000  # micro-dollars, of make_job()


class EventBridge(RecordingPublisher):
    """Refuses the event of this number, counted from 1."""

    def __init__(self, refused: int = 0) -> None:
        super().__init__()
        self.refused = refused
        self.asked = 0

    def budget_reached(self, document: Mapping[str, Any]) -> None:
        self.asked += 1
        if self.asked == self.refused:
            raise StoreUnavailable("EventBridge is away.", service="EventBridge")
        super().budget_reached(document)


class Office:
    """CreateJob and what it tells of."""

    def __init__(self, world: World, defaults: BudgetDefaults, refused: int = 0) -> None:
        self.money = MemoryMoney(defaults)
        self.repository = MemoryJobRepository()
        self.repository.money = self.money
        self.events = EventBridge(refused)
        self.metrics = RecordingMetrics()
        self.publish = PublishAlerts(self.money, self.events, self.metrics)
        self.create = CreateJob(
            MemoryKeys(), self.repository, world.tracking, self.metrics, self.publish
        )

    def start(self, seed: str) -> None:
        self.create(make_job(seed), "arn:execution")

    def told(self) -> list[tuple[str, str, int]]:
        return [(it["of"], it["period"], it["level"]) for it in self.events.budgets]


def test_each_level_is_told_once_when_it_is_reached(world: World) -> None:
    office = Office(world, BudgetDefaults(user_day=10 * PICTURE, stage_month=20 * PICTURE))
    reached: list[tuple[int, str, str, int]] = []
    for number in range(1, 11):
        office.start(f"job {number}")
        reached += [(number, *told) for told in office.told()[len(reached) :]]
    assert reached == [
        (5, "user", "day", 50),
        (8, "user", "day", 80),
        (10, "user", "day", 100),
        (10, "stage", "month", 50),
    ]
    assert office.metrics.timed == [("BudgetReached", level) for *_, level in reached]


def test_an_event_tells_what_is_full_and_until_when(world: World) -> None:
    office = Office(world, BudgetDefaults(user_day=PICTURE))
    office.start("the only one")
    full = office.events.budgets[-1]
    assert full["level"] == 100
    assert (full["userId"], full["limit"], full["held"]) == ("user-1", "0.003", "0.003")
    assert full["resetsAt"].endswith("T00:00:00.000Z")


def test_a_refusal_tells_that_the_budget_is_full(world: World) -> None:
    office = Office(world, BudgetDefaults(user_day=PICTURE * 5 // 4))
    office.start("fits")
    assert office.told() == [("user", "day", 50), ("user", "day", 80)]
    for seed in ("too much", "too much again"):
        with pytest.raises(BudgetExceeded):
            office.start(seed)
    assert office.told()[2:] == [("user", "day", 100)]


def test_an_eventbridge_that_is_away_changes_nothing_for_the_job(world: World) -> None:
    office = Office(world, BudgetDefaults(user_day=PICTURE * 2), refused=1)
    office.start("fine")
    job_id = make_job("fine").job_id
    assert job_id in office.repository.created
    assert world.tracking.get(job_id) is not None
    assert "JobStarted" in office.metrics.names()
    assert office.told() == []
    assert office.publish() == 0  # another run may be at it
    office.money.unclaim()
    assert office.publish() == 1
    assert office.told() == [("user", "day", 50)]
    office.money.unclaim()
    assert office.publish() == 0


def test_a_refusal_stays_a_refusal_while_eventbridge_is_away(world: World) -> None:
    office = Office(world, BudgetDefaults(user_day=PICTURE + 1), refused=3)
    office.start("nearly all of it")
    with pytest.raises(BudgetExceeded):
        office.start("too much")
    office.money.unclaim()
    office.publish()
    assert office.told()[-1] == ("user", "day", 100)


def test_what_was_told_before_eventbridge_went_away_is_not_told_again(world: World) -> None:
    office = Office(world, BudgetDefaults(user_day=PICTURE), refused=3)
    office.start("all of it")
    assert office.told() == [("user", "day", 50), ("user", "day", 80)]
    office.money.unclaim()
    assert office.publish() == 1
    assert [level for _, _, level in office.told()] == [50, 80, 100]


def test_one_alert_of_the_same_level_for_each_limit(world: World) -> None:
    """A raised limit is another limit: its levels are told again."""
    office = Office(world, BudgetDefaults(user_day=PICTURE * 2))
    office.start("half")
    office.money.defaults = replace(office.money.defaults, user_day=PICTURE * 4)
    office.start("half of the new one")
    assert office.told() == [("user", "day", 50), ("user", "day", 50)]
