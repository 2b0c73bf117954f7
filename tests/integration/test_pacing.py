"""Bursts in virtual time: the real scripts in a real Valkey (benchmarks.pacing), and the dispatcher."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import redis

from benchmarks.pacing import page
from benchmarks.pacing.provider import Provider
from benchmarks.pacing.scenarios import ALONE, SCENARIOS, Figures, simulate
from benchmarks.pacing.simulation import START, SUBMITTING, Simulation
from devstack.servers.valkey import Valkey
from tests.support.fakes import RecordingMetrics
from tests.support.jobs import make_job
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.slots import RedisSlots
from vsl.domain.jobs.flow import Flow
from vsl.domain.jobs.job import Job, JobStatus
from vsl.services.pacing.dispatch_queue import RENEW_EVERY, DispatchQueue
from vsl.services.pacing.join_queue import LONGEST_UNSEEN, MARGIN, check_after
from vsl.services.ports.pacing import Turn

if TYPE_CHECKING:
    from vsl.services.ports.tracking import TrackingStore

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("pacing")]


@pytest.fixture(scope="module")
def found(valkey: Valkey) -> dict[str, Figures]:
    return {name: simulate(scenario, valkey.url) for name, scenario in SCENARIOS.items()}


@pytest.fixture
def slots(redis_url: str) -> Iterator[RedisSlots]:
    client = RedisClient(lambda: redis_url)
    yield RedisSlots(str, 600, client)
    client.close()


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_job_starts_once_and_those_who_ask_for_little_are_not_behind_a_burst(
    found: dict[str, Figures], name: str
) -> None:
    one = found[name]
    assert one.started == one.jobs, "and none twice, or the simulation had failed"
    assert one.p95 <= 1.5 * ALONE
    assert one.jain >= 0.95
    if one.p95_after is not None:
        assert one.p95_after <= 1.5 * ALONE, "fair again within a minute"


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - {"killed"}))
def test_what_the_provider_allows_is_used(found: dict[str, Figures], name: str) -> None:
    assert found[name].used >= 0.98


def test_a_dead_dispatcher_holds_the_queue_up_until_the_poller_has_looked(
    found: dict[str, Figures],
) -> None:
    """It looks every minute, at jobs whose turn should have come."""
    assert 10 < found["killed"].still <= 60 + MARGIN.total_seconds() + 2


def test_a_band_of_80_percent_holds_75_to_90_percent_of_the_starts(
    found: dict[str, Figures],
) -> None:
    assert 0.75 <= found["slow"].covered <= 0.90
    for name, one in found.items():
        assert one.covered >= 0.75, name


def test_an_account_with_little_credit_is_used_up_and_recovers(found: dict[str, Figures]) -> None:
    slow = found["slow"]
    assert slow.slow_used >= 0.98 * 59
    assert slow.recovered >= 0.98 * 200, "as fast as before within twenty seconds"
    assert slow.refused < 10 * 60, "a few refusals for each that is taken"


def test_the_page_has_these_figures(found: dict[str, Figures]) -> None:
    assert page.fill(page.WORDS.read_text(), found) == page.PAGE.read_text(), "make scale"
    assert "{{" not in page.PAGE.read_text()


def test_the_band_holds_while_others_come_and_go(slots: RedisSlots) -> None:
    """Thirty users, each with one to eighty jobs a minute, in all a little more than the rate."""
    chance = random.Random(7)
    world = Simulation(slots, Provider([(0.0, 600, 600)]))
    for user in range(30):
        moment = 0.0
        while (moment := moment + chance.expovariate(1 / 60)) < 300:
            world.request(f"user {user}", round(moment, 3), chance.choice([1, 2, 5, 20, 80]))
    world.run()
    assert world.coverage() >= 0.75


def test_the_estimate_holds_while_no_one_else_comes(slots: RedisSlots) -> None:
    world = Simulation(slots, Provider([(0.0, 600, 600)]))
    world.request("only", 0.0, 400)
    world.run()
    for job, estimate in world.first_estimates.items():
        waited = world.started[job] - world.asked[job][1] - SUBMITTING
        assert abs(waited - estimate) <= max(1.5, 0.1 * estimate)


def test_a_job_is_looked_at_soon_after_its_turn_and_after_a_while_in_any_case() -> None:
    assert check_after(Turn(granted=False, starts_in=5.0)) == timedelta(seconds=5) + MARGIN
    # At the rate of an account with little credit it is far away; the queue may become quick again.
    assert check_after(Turn(granted=False, starts_in=36_000.0)) == LONGEST_UNSEEN + MARGIN


def test_the_dispatcher_wakes_each_once_and_ends_when_none_waits(slots: RedisSlots) -> None:
    stage = Stage(slots, [f"{number:03}" for number in range(100)])
    assert stage.dispatch() == (40, False)
    assert stage.woken == [f"{number:03}" for number in range(60, 100)]
    assert stage.clock.now() - START == pytest.approx(
        timedelta(seconds=4), abs=timedelta(seconds=0.5)
    )


def test_an_emptied_redis_gets_its_queue_back_from_the_dispatcher(
    slots: RedisSlots, redis_url: str
) -> None:
    stage = Stage(slots, [f"{number:03}" for number in range(200)])
    stage.dispatch(timedelta(seconds=2))

    def empty() -> None:
        with redis.Redis.from_url(redis_url) as server:
            server.flushall()
        stage.at_sleep = None

    stage.at_sleep = empty
    stage.dispatch()
    assert stage.woken == [f"{number:03}" for number in range(60, 200)], "in their order, once"


def test_waits_are_told_by_the_class_of_the_user(slots: RedisSlots) -> None:
    stage = Stage(slots, [f"{number:03}" for number in range(100)])
    stage.dispatch()
    classes = [each["userClass"] for name, each in stage.metrics.timed_by if name == "SlotWait"]
    assert classes == ["large"] * 31 + ["small"] * 9, "the last ones ask for no more than that"


def test_a_dispatcher_that_lost_its_lease_stops(slots: RedisSlots) -> None:
    stage = Stage(slots, [f"{number:03}" for number in range(400)])
    stage.renews = False
    woken, left = stage.dispatch()
    assert not left
    assert 90 <= woken <= 110, "ten a second, until it was time to renew"
    assert stage.clock.now() - START == pytest.approx(RENEW_EVERY, abs=timedelta(seconds=1))


@dataclass
class Stage:
    """A dispatcher over jobs that all wait, and have joined."""

    slots: RedisSlots
    names: Sequence[str]
    renews: bool = True
    at_sleep: Any = None
    woken: list[str] = field(default_factory=list)
    metrics: RecordingMetrics = field(default_factory=RecordingMetrics)

    def __post_init__(self) -> None:
        self.clock = _Clock(self)
        for name in self.names:
            if self.slots.join(name, Flow("interactive:user-1"), START).granted:
                self.names = [other for other in self.names if other != name]

    def dispatch(self, lasts: timedelta = timedelta(minutes=5)) -> tuple[int, bool]:
        def wake(item: _Item) -> bool:
            if item.job.job_id in self.woken:
                return False
            self.woken.append(item.job.job_id)
            return True

        run = DispatchQueue(
            tracking=cast("TrackingStore", _Tracking(self)),
            slots=self.slots,
            clock=self.clock,
            metrics=self.metrics,
            wake=cast("Any", wake),
            join_queue=cast("Any", None),
            sleep=self.clock.sleep,
        )
        return run(self.clock.now() + lasts, lambda: self.renews)


class _Clock:
    def __init__(self, stage: Stage) -> None:
        self.at = START
        self._stage = stage

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        if self._stage.at_sleep is not None:
            self._stage.at_sleep()


@dataclass
class _Item:
    job: Job
    queued_at: datetime = START
    cancel_requested_at: datetime | None = None

    @property
    def status(self) -> Any:
        return JobStatus.PENDING


class _Tracking:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def get(self, job_id: str) -> Any:
        job: Any = SimpleNamespace(**{**_BASE, "job_id": job_id})
        return _Item(job)

    def queued(self) -> list[Any]:
        return [self.get(name) for name in self._stage.names if name not in self._stage.woken]


_JOB = make_job()
_BASE = {
    "user_id": _JOB.user_id,
    "priority": _JOB.priority,
    "weight": _JOB.weight,
    "media_type": _JOB.media_type,
    "model_id": _JOB.model_id,
}
