"""1,000 jobs of ten users at once on the running stack, whose provider takes 90 a minute; BURST_EACH (jobs
of a user) and BURST_RATE make it as small as the machine.

Each user's jobs are sent by a client of its own, all at the same time and as fast as the stack gets them into
the queue: of those that are neither there nor at the provider there are a few at most, since two cores
do all the work here that AWS spreads. What is told of the queue is what the jobs' own timelines say.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import httpx
import psycopg
import redis

from benchmarks.measure import Result, p95, progress
from benchmarks.pacing.picture import draw
from benchmarks.pacing.simulation import jain
from benchmarks.stack import running
from tests.support.background import Background
from tests.support.stack import Stack

__all__ = ["draw", "run"]

USERS = 10
EACH, RATE = int(os.environ.get("BURST_EACH", "100")), int(os.environ.get("BURST_RATE", "90"))
MODEL = "flux-schnell"
# The stand-in draws each picture; small ones are no bottleneck.
SMALL = {"width": 256, "height": 256}
POINT_SECONDS = 5
_BETWEEN_LOOKS = 1.0
_ON_THE_WAY = 20
# For a machine that is much slower than the rate.
_PATIENCE = 3600.0

# When each job was created, queued, woken, and last submitted, in seconds since the epoch.
_TIMES = """
    SELECT user_id, status, coalesce(error_code, ''), extract(epoch FROM created_at)::float8,
        extract(epoch FROM min(at) FILTER (WHERE name = 'queued'))::float8,
        extract(epoch FROM max(at) FILTER (WHERE name = 'dequeued'))::float8,
        extract(epoch FROM max(at) FILTER (WHERE name LIKE 'intent%'))::float8,
        extract(epoch FROM completed_at)::float8
    FROM jobs LEFT JOIN job_events USING (job_id) GROUP BY jobs.job_id ORDER BY created_at
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A job; seconds since the first was created. `queued` and `woken` are None without a wait."""

    user: str
    status: str
    error: str
    created: float
    queued: float | None
    woken: float | None
    started: float
    ended: float


def run(*, quick: bool = False) -> Result:
    each, rate = (3, 60) if quick else (EACH, RATE)
    options = ("--provider-rate", str(rate), "--parameter", f"CreationsPerMinute={rate}")
    with running(*options) as stack, progress(f"{USERS * each} jobs at {rate} a minute"):
        began = time.perf_counter()
        with _Gate(stack) as gate, ThreadPoolExecutor(USERS) as pool:
            users = range(USERS)
            accepted = sum(pool.map(lambda user: _submit(stack.api.url, user, each, gate), users))
        intake = time.perf_counter() - began
        rows = _ended(stack.database_url, accepted, began + _PATIENCE)
        predictions = stack.control.health().predictions
    return _result(rows, USERS * each, rate, intake, predictions)


class _Gate(Background):
    """Lets a client pass while few of the jobs sent are on the way to the queue."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack
        self._redis = redis.Redis.from_url(stack.document["redisUrl"])
        self._passed = self._arrived = 0
        self._changed = threading.Condition()

    def wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._passed - self._arrived < _ON_THE_WAY)
            self._passed += 1

    def _pause(self) -> float:
        return _BETWEEN_LOOKS

    def _step(self) -> None:
        with suppress(httpx.HTTPError, redis.RedisError):  # busy: the next look tells
            self._look()

    def _look(self) -> None:
        queue = self._redis.zcard("{pacing}:queue")
        arrived = int(str(queue)) + self._stack.control.health().predictions
        with self._changed:
            self._arrived = arrived
            self._changed.notify_all()


def _submit(url: str, user: int, count: int, gate: _Gate) -> int:
    """How many of the user's jobs were accepted."""
    accepted = 0
    with httpx.Client(base_url=url, timeout=_PATIENCE, trust_env=False) as client:
        for number in range(count):
            gate.wait()
            answer = client.post(
                "/generate-media",
                json={
                    "userId": f"user-{user}",
                    "modelId": MODEL,
                    "parameters": {"prompt": f"lighthouse {number}", **SMALL},
                },
            )
            accepted += answer.status_code == httpx.codes.ACCEPTED
    return accepted


def _ended(database: str, jobs: int, deadline: float) -> list[Row]:
    """The jobs, once so many have ended."""
    ended = "SELECT count(*) FROM jobs WHERE completed_at IS NOT NULL"
    with psycopg.connect(database, autocommit=True) as connection:
        while time.perf_counter() < deadline:
            ((count,),) = connection.execute(ended).fetchall()
            if count >= jobs:
                break
            time.sleep(_BETWEEN_LOOKS)
        found = connection.execute(_TIMES).fetchall()
    began = min(row[3] for row in found)
    return [Row(*row[:3], *(None if at is None else at - began for at in row[3:])) for row in found]


def _result(rows: Sequence[Row], asked: int, rate: int, intake: float, predictions: int) -> Result:
    result = Result("burst", "A burst that the provider does not take", ["what", "measured"])
    succeeded = sum(row.status == "succeeded" for row in rows)
    throttled = sum(row.error == "ProviderThrottled" for row in rows)
    starts = sorted(row.started for row in rows)
    waits = [row.woken - row.queued for row in rows if row.woken and row.queued]
    half = starts[len(starts) // 2]
    served = Counter(row.user for row in rows if row.started <= half)
    lasts = _last_starts(rows)
    fair_service, fair_waits = jain(list(map(float, served.values()))), jain(list(lasts.values()))
    used = (len(rows) - rate * 0.1) / ((starts[-1] - starts[0]) * rate / 60)
    result.row("jobs accepted, succeeded", f"{len(rows)} of {asked}, {succeeded}")
    result.row("failed for throttling", throttled)
    result.row("predictions made", predictions)
    result.row("accepted within", f"{intake:.0f} s")
    result.row("jobs that waited", len(waits))
    result.row("the longest queue", max(depth for _, depth in _depths(rows)))
    result.row("wait, 95th percentile", f"{p95(waits):.0f} s")
    result.row("the last starts after", f"{starts[-1]:.0f} s")
    result.row("share of the allowed rate that is used", f"{used:.0%}".replace("%", " %"))
    result.row("Jain's index of starts by user, at half-time", f"{fair_service:.3f}")
    result.row("Jain's index of users' last starts", f"{fair_waits:.3f}")
    result.goal("jobs that did not succeed", asked - succeeded, 0)
    result.goal("jobs that failed for throttling", throttled, 0)
    result.goal("predictions beyond one a job", predictions - len(rows), 0)
    result.goal("Jain's index of starts by user", fair_service, 0.95, at_least=True)
    result.goal("Jain's index of last starts", fair_waits, 0.95, at_least=True)
    result.data["depth"] = _depths(rows)
    result.data["starts"] = {
        user: _cumulated([row.started for row in rows if row.user == user])
        for user in sorted(served)
    }
    result.notes.append(
        f"Model {MODEL} at a twentieth of its time; parameter and stand-in at {rate} creations a minute."
        " Functions, stores, provider and clients share the machine with other work."
    )
    return result


def _last_starts(rows: Sequence[Row]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        found[row.user] = max(found.get(row.user, 0.0), row.started)
    return found


def _depths(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Every few seconds how many jobs wait."""
    end = int(max(row.started for row in rows)) + POINT_SECONDS
    return [
        (at, sum(1 for row in rows if row.queued and row.queued <= at < (row.woken or row.ended)))
        for at in range(0, end + POINT_SECONDS, POINT_SECONDS)
    ]


def _cumulated(starts: Sequence[float]) -> list[int]:
    end = int(max(starts)) + POINT_SECONDS
    return [
        sum(start <= at for start in starts) for at in range(0, end + POINT_SECONDS, POINT_SECONDS)
    ]
