"""5,000 jobs of one user at one moment, and 20 users with five each a minute later: what becomes of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import quantiles

import redis

from benchmarks.pacing.provider import Provider
from benchmarks.pacing.simulation import Simulation, jain
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.slots import BURST_SHARE, RedisSlots

RATE = 600
LARGE, SMALL_USERS, EACH = 5000, 20, 5
SMALL_AT = 60.0
FAULT_AT, AFTER_FAULT = 200.0, 260.0
STORM = 30.0
SLOW = [(0.0, RATE, RATE), (120.0, 6, 1), (720.0, RATE, RATE)]
STEADY = [(0.0, RATE, RATE)]
# What five jobs take at a fair share of the rate, when 21 users want some.
ALONE = EACH / (RATE / 60 / (SMALL_USERS + 1))


@dataclass(frozen=True, slots=True)
class Scenario:
    """`fault` happens at FAULT_AT; as many small users come a minute after it."""

    title: str
    regimes: list[tuple[float, int, int]] = field(default_factory=lambda: STEADY)
    storms: list[tuple[float, float]] = field(default_factory=list)
    fault: Callable[[Simulation, str], None] | None = None

    @property
    def faulty(self) -> bool:
        return bool(self.fault or self.storms)


@dataclass(frozen=True, slots=True)
class Figures:
    """Times in seconds. `used` is the share of the rate that the provider allowed, until the last start;
    `still` the longest time in which no job started although the provider would have taken one."""

    jobs: int
    started: int
    last: float
    used: float
    refused: int
    p95: float
    p95_after: float | None
    jain: float
    covered: float
    still: float
    slow_used: int
    recovered: int


def _emptied(_world: Simulation, url: str) -> None:
    with redis.Redis.from_url(url) as server:
        server.flushall()


def _killed(world: Simulation, _url: str) -> None:
    world.kill_dispatcher()


SCENARIOS = {
    "steady": Scenario("600 a minute"),
    "slow": Scenario("600, from the 2nd to the 12th minute 6, then 600", regimes=SLOW),
    "emptied": Scenario("600; Redis is emptied", fault=_emptied),
    "killed": Scenario("600; the dispatcher dies", fault=_killed),
    "storm": Scenario("600; 30 s of nothing but 429", storms=[(FAULT_AT, FAULT_AT + STORM)]),
}


def simulate(scenario: Scenario, url: str) -> Figures:
    """`url` is that of a Redis server that is emptied for it."""
    with redis.Redis.from_url(url) as server:
        server.flushall()
    client = RedisClient(lambda: url)
    try:
        slots = RedisSlots(str, RATE, client)
        world = Simulation(slots, Provider(scenario.regimes, scenario.storms))
        world.request("large", 0.0, LARGE)
        _small_users(world, "small", SMALL_AT)
        if scenario.faulty:
            _small_users(world, "later", AFTER_FAULT)
        if scenario.fault is not None:
            fault = scenario.fault
            world.at(FAULT_AT, lambda: fault(world, url))
        world.run()
        return _figures(world, scenario)
    finally:
        client.close()


def _small_users(world: Simulation, name: str, moment: float) -> None:
    for number in range(SMALL_USERS):
        world.request(f"{name} {number:02}", moment, EACH)


def _figures(world: Simulation, scenario: Scenario) -> Figures:
    last = max(world.started.values())
    accepted = world.provider.accepted
    burst = round(RATE * BURST_SHARE)
    return Figures(
        jobs=len(world.asked),
        started=len(world.started),
        last=last,
        used=min(1.0, (len(accepted) - burst) / world.provider.allowed(last)),
        refused=world.provider.refused,
        p95=_p95(world, "small"),
        p95_after=_p95(world, "later") if scenario.faulty else None,
        jain=jain([max(world.waits(f"small {number:02}")) for number in range(SMALL_USERS)]),
        covered=world.coverage(),
        still=max(b - a for a, b in pairwise(accepted)),
        slow_used=sum(120 <= at < 720 for at in accepted),
        recovered=sum(720 <= at < 740 for at in accepted),
    )


def _p95(world: Simulation, name: str) -> float:
    users = [f"{name} {number:02}" for number in range(SMALL_USERS)]
    return quantiles([wait for user in users for wait in world.waits(user)], n=20)[-1]
