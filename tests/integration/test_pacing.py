"""Bursts in virtual time: the real scripts in a real Valkey, the real dispatcher, a provider that throttles.

A job is a reservation, a submission 0.3 s after its slot, and a new place in the queue if that is refused.
"""

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import TYPE_CHECKING, Any, cast

import pytest
import redis

from tests.support.fakes import RecordingMetrics
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.slots import RedisSlots
from vsl.domain.jobs.flow import Flow
from vsl.domain.jobs.job import JobStatus
from vsl.services.pacing.dispatch_queue import DispatchQueue

if TYPE_CHECKING:
    from vsl.services.ports.tracking import TrackingStore

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 1, tzinfo=UTC)
SUBMITTING = 0.3


@dataclass
class Provider:
    """Replicate's limit: so many a minute, `burst` at once; changed at moments of `regimes`."""

    regimes: list[tuple[float, int, int]]
    tokens: float = 0.0
    at: float = 0.0
    accepted: list[float] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.tokens = float(self.regimes[0][2])

    def _regime(self, now: float) -> tuple[float, int, int]:
        return [regime for regime in self.regimes if regime[0] <= now][-1]

    def create(self, now: float) -> float:
        """0 when it was accepted, else the seconds to wait."""
        since, rate, burst = self._regime(now)
        self.tokens = min(burst, self.tokens + (now - max(self.at, since)) * rate / 60)
        self.at = now
        if self.tokens < 1:
            self.refused += 1
            return max(1.0, (1 - self.tokens) * 60 / rate)
        self.tokens -= 1
        self.accepted.append(now)
        return 0.0

    def allowed(self, until: float) -> float:
        """How many it would have taken by then."""
        ends = [start for start, _, _ in self.regimes[1:]] + [until]
        total = float(self.regimes[0][2])
        for (start, rate, _), end in zip(self.regimes, ends, strict=True):
            total += max(0.0, min(end, until) - start) * rate / 60
        return total


class Simulation:
    """`now` in seconds; `at` queues what happens next."""

    def __init__(self, slots: RedisSlots, provider: Provider) -> None:
        self.slots, self.provider = slots, provider
        self.time = 0.0
        self.dispatching = False
        self.asked: dict[str, tuple[str, float]] = {}
        self.started: dict[str, float] = {}
        self.estimates: dict[str, float] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time)

    def at(self, moment: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), work))

    def run(self) -> None:
        while self._events:
            self.time, _, work = heapq.heappop(self._events)
            work()

    def request(self, user: str, moment: float, count: int) -> None:
        for number in range(count):
            job = f"{moment:09.3f} {user} {number:05}"
            self.at(moment, lambda job=job: self.join(job, user))  # type: ignore[misc]

    def join(self, job: str, user: str) -> None:
        self.asked.setdefault(job, (user, self.time))
        turn = self.slots.join(job, Flow(user), self.now())
        if turn.granted:
            self.at(self.time + SUBMITTING, lambda: self.submit(job))
            return
        self.estimates.setdefault(job, turn.starts_in)
        if turn.unwatched:
            self.at(self.time + 0.5, self.dispatch)

    def submit(self, job: str) -> None:
        user, _ = self.asked[job]
        wait = self.provider.create(self.time)
        if wait:
            self.slots.throttled(job, self.now(), wait)
            self.join(job, user)
        else:
            assert job not in self.started, "submitted twice"
            self.started[job] = self.time

    def dispatch(self) -> None:
        """One turn of the dispatcher's loop."""
        if self.dispatching:
            return
        turn = self.slots.next(self.now(), self.now() + timedelta(seconds=10))
        for job in turn.job_ids:
            self.at(self.time + SUBMITTING, lambda job=job: self.submit(job))  # type: ignore[misc]
        if turn.next_in is None:
            return
        self.dispatching = True
        self.at(self.time + min(max(turn.next_in, 0.001), 1.0), self._again)

    def _again(self) -> None:
        self.dispatching = False
        self.dispatch()

    def waits(self, user: str) -> list[float]:
        return [self.started[job] - at for job, (who, at) in self.asked.items() if who == user]


@pytest.fixture
def slots(redis_url: str) -> Iterator[RedisSlots]:
    client = RedisClient(lambda: redis_url)
    yield RedisSlots(str, 600, client)
    client.close()


def small_users() -> list[str]:
    return [f"small {number:02}" for number in range(20)]


def test_a_burst_waits_and_those_who_ask_for_little_are_not_behind_it(slots: RedisSlots) -> None:
    world = Simulation(slots, Provider([(0.0, 600, 600)]))
    world.request("large", 0.0, 5000)
    for user in small_users():
        world.request(user, 60.0, 5)
    world.run()
    assert len(world.started) == 5100
    assert world.provider.refused == 0
    last = max(world.started.values())
    assert len(world.started) / (world.provider.allowed(last) - 600 + 60) >= 0.98
    alone = 5 / (10 / 21)  # seconds for five jobs at a share of ten a second among 21
    waits = [wait for user in small_users() for wait in world.waits(user)]
    assert quantiles(waits, n=20)[-1] <= 1.5 * alone
    assert jain([max(world.waits(user)) for user in small_users()]) >= 0.95


def test_an_account_with_little_credit_fails_no_job_and_recovers(slots: RedisSlots) -> None:
    world = Simulation(slots, Provider([(0.0, 600, 600), (120.0, 6, 1), (720.0, 600, 600)]))
    world.request("large", 0.0, 5000)
    for user in small_users():
        world.request(user, 60.0, 5)
    world.run()
    assert len(world.started) == 5100
    slow = [at for at in world.provider.accepted if 130 <= at < 720]
    assert len(slow) >= 0.98 * 59
    after = [at for at in world.provider.accepted if 740 <= at < 800]
    assert len(after) >= 0.98 * 600, "as fast as before within twenty seconds"
    assert world.provider.refused < 10 * 60, "a few refusals for each that is taken"


def test_an_emptied_redis_loses_nobody(slots: RedisSlots, redis_url: str) -> None:
    world = Simulation(slots, Provider([(0.0, 600, 600)]))
    for user in small_users():
        world.request(user, 0.0, 30)

    def empty() -> None:
        with redis.Redis.from_url(redis_url) as server:
            server.flushall()
        for job, (user, _) in world.asked.items():
            if job not in world.started:  # the poller: whose turn should have come
                due = world.estimates.get(job, 0.0) + 60
                world.at(max(world.time, due), lambda job=job, user=user: again(job, user))  # type: ignore[misc]

    def again(job: str, user: str) -> None:
        if job not in world.started:
            world.join(job, user)

    world.at(20.0, empty)
    world.run()
    assert len(world.started) == 600
    assert len(world.provider.accepted) == 600, "and none twice"


def test_the_estimate_holds_while_no_one_else_comes(slots: RedisSlots) -> None:
    world = Simulation(slots, Provider([(0.0, 600, 600)]))
    world.request("only", 0.0, 400)
    world.run()
    for job, estimate in world.estimates.items():
        waited = world.started[job] - world.asked[job][1] - SUBMITTING
        assert abs(waited - estimate) <= max(1.5, 0.1 * estimate)


def test_the_dispatcher_wakes_each_once_and_ends_when_none_waits(slots: RedisSlots) -> None:
    woken: list[str] = []
    clock = _Clock()
    for number in range(100):
        slots.join(f"{number:03}", Flow("u"), clock.now())

    def wake(item: _Item) -> bool:
        woken.append(item.name)
        return True

    dispatch = DispatchQueue(
        tracking=cast("TrackingStore", _Tracking()),
        slots=slots,
        clock=clock,
        metrics=RecordingMetrics(),
        wake=cast("Any", wake),
        join_queue=cast("Any", None),
        sleep=clock.sleep,
    )
    assert dispatch(clock.now() + timedelta(minutes=5)) == (40, False)
    assert woken == [f"{number:03}" for number in range(60, 100)]
    assert clock.now() - START == pytest.approx(timedelta(seconds=4), abs=timedelta(seconds=0.5))


class _Clock:
    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class _Tracking:
    """Every job waits."""

    def get(self, job_id: str) -> Any:
        return _Item(job_id)


@dataclass
class _Item:
    name: str
    queued_at: datetime = START
    cancel_requested_at: datetime | None = None

    @property
    def status(self) -> Any:
        return JobStatus.PENDING


def jain(values: list[float]) -> float:
    """https://en.wikipedia.org/wiki/Fairness_measure: 1 where all are equal."""
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))
