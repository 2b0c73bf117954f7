"""The hourly limit against a real Redis: atomic, sliding, once per job, and right after a loss."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import psycopg
import pytest
import redis

from devstack.servers import free_port
from tests.support.jobs import make_job
from tests.support.outside import START, RecordingMetrics, SteppedClock
from vsl.adapters.postgres import PostgresAccounting
from vsl.adapters.redis_client import RedisClient
from vsl.adapters.redis_stores import RedisRateLimits
from vsl.domain.errors import RateLimitExceeded, StoreUnavailable
from vsl.domain.job import Job
from vsl.services.check_rate_limit import check_rate_limit

pytestmark = pytest.mark.integration


@pytest.fixture
def limits(redis_url: str) -> Iterator[RedisRateLimits]:
    client = RedisClient(lambda: redis_url)
    yield RedisRateLimits(lambda: redis_url, client)
    client.close()


@pytest.fixture
def accounting(postgres_url: str) -> Iterator[PostgresAccounting]:
    store = PostgresAccounting(lambda: postgres_url)
    yield store
    store.close()


def nothing() -> Sequence[datetime]:
    return ()


def test_of_200_jobs_at_once_exactly_the_limit_is_admitted(limits: RedisRateLimits) -> None:
    together = threading.Barrier(200)

    def ask(number: int) -> float | None:
        together.wait()
        return limits.admit("user-1", f"job-{number}", 7, START, nothing)

    with ThreadPoolExecutor(200) as threads:
        answers = list(threads.map(ask, range(200)))
    assert answers.count(None) == 7
    assert set(answers) == {None, 3600.0}


def test_a_job_is_counted_once_however_often_it_asks(limits: RedisRateLimits) -> None:
    for _ in range(5):
        assert limits.admit("user-1", "job-1", 2, START, nothing) is None
    assert limits.admit("user-1", "job-2", 2, START, nothing) is None
    assert limits.admit("user-1", "job-3", 2, START, nothing) == 3600
    assert limits.admit("user-1", "job-1", 2, START, nothing) is None, "still admitted when full"


def test_a_refused_job_takes_no_place(limits: RedisRateLimits) -> None:
    limits.admit("user-1", "job-1", 1, START, nothing)
    for second in range(1, 4):
        at = START + timedelta(seconds=second)
        assert limits.admit("user-1", "job-2", 1, at, nothing) == 3600 - second
    assert limits.admit("user-1", "job-2", 1, START + timedelta(hours=1), nothing) is None


def test_the_hour_slides_and_the_wait_is_exact_to_the_millisecond(
    limits: RedisRateLimits,
) -> None:
    for minute in (0, 10, 50):
        at = START + timedelta(minutes=minute)
        assert limits.admit("user-1", f"job-{minute}", 3, at, nothing) is None
    at = START + timedelta(minutes=55, milliseconds=250)
    wait = limits.admit("user-1", "late", 3, at, nothing)
    assert wait == pytest.approx(5 * 60 - 0.25)
    just_before = START + timedelta(hours=1) - timedelta(milliseconds=1)
    assert limits.admit("user-1", "late", 3, just_before, nothing) == pytest.approx(0.001)
    assert limits.admit("user-1", "late", 3, START + timedelta(hours=1), nothing) is None
    assert limits.admit("user-1", "next", 3, START + timedelta(hours=1), nothing) == 600


def test_after_a_limit_was_lowered_the_wait_counts_every_place_that_must_free(
    limits: RedisRateLimits,
) -> None:
    for minute in range(5):
        limits.admit("user-1", f"job-{minute}", 10, START + timedelta(minutes=minute), nothing)
    at = START + timedelta(minutes=5)
    assert limits.admit("user-1", "new", 2, at, nothing) == (60 + 3 - 5) * 60
    assert limits.admit("user-1", "new", 0, at, nothing) == 3600


def test_users_do_not_share_a_window_whatever_their_names(limits: RedisRateLimits) -> None:
    for user in ("a", "a:hour", "{a}", "{a}:hour", "a|b=c@d"):
        assert limits.admit(user, "job", 1, START, nothing) is None
        assert limits.admit(user, "other", 1, START, nothing) == 3600


def test_the_key_is_the_documented_one_and_expires(limits: RedisRateLimits, redis_url: str) -> None:
    limits.admit("user-1", "job-1", 5, START, nothing)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        key = "ratelimit:user:user-1:hour"
        assert client.keys() == [key]
        assert client.zrange(key, 0, -1) == ["job-1"]
        remaining = client.pttl(key)
        assert isinstance(remaining, int)
        assert 3_590_000 < remaining <= 3_600_000


def test_the_history_is_asked_for_only_when_nothing_is_known(limits: RedisRateLimits) -> None:
    asked: list[str] = []

    def history() -> Sequence[datetime]:
        asked.append("once")
        return [START - timedelta(minutes=30), START - timedelta(minutes=20)]

    assert limits.admit("user-1", "job-1", 3, START, history) is None
    assert limits.admit("user-1", "job-2", 3, START, history) == 30 * 60
    assert asked == ["once"]


def test_a_lost_script_is_loaded_again(limits: RedisRateLimits, redis_url: str) -> None:
    limits.admit("user-1", "job-1", 2, START, nothing)
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()
    assert limits.admit("user-1", "job-2", 2, START, nothing) is None


def test_the_limit_in_force_is_remembered_for_a_while(
    limits: RedisRateLimits, redis_url: str
) -> None:
    assert limits.cached_limit("user-1") is None
    limits.cache_limit("user-1", 0)
    assert limits.cached_limit("user-1") == 0
    with redis.Redis.from_url(redis_url) as client:
        assert 0 < int(str(client.ttl("ratelimit:user:user-1:limit"))) <= 300


class World:
    """The use case over both real stores; each admitted job is created, as in the workflow."""

    def __init__(self, limits: RedisRateLimits, accounting: PostgresAccounting) -> None:
        self.limits = limits
        self.accounting = accounting
        self.clock = SteppedClock()

    def ask(self, seed: str, limits: RedisRateLimits | None = None) -> Job:
        job = make_job(seed, self.clock.now())
        check_rate_limit(
            job,
            limits=limits or self.limits,
            accounting=self.accounting,
            clock=self.clock,
            default_limit=3,
            metrics=RecordingMetrics(),
        )
        self.accounting.create_job(job, None)
        return job

    def refusal(self, seed: str, limits: RedisRateLimits | None = None) -> dict[str, object]:
        with pytest.raises(RateLimitExceeded) as caught:
            self.ask(seed, limits)
        return caught.value.details | {"message": caught.value.message}


@pytest.fixture
def world(limits: RedisRateLimits, accounting: PostgresAccounting) -> World:
    return World(limits, accounting)


@pytest.fixture
def dead_redis() -> Iterator[RedisRateLimits]:
    url = f"redis://127.0.0.1:{free_port()}/0"
    client = RedisClient(lambda: url)
    yield RedisRateLimits(lambda: url, client)
    client.close()


def test_with_redis_away_postgresql_gives_the_same_answer(
    world: World, dead_redis: RedisRateLimits
) -> None:
    for number in range(3):
        world.ask(f"job-{number}")
        world.clock.advance(60)
    assert world.refusal("more") == world.refusal("more", dead_redis)
    assert world.refusal("more", dead_redis)["retryAfter"] == 57 * 60
    world.clock.advance(57 * 60)
    world.ask("more", dead_redis)
    assert world.refusal("one more", dead_redis)["retryAfter"] == 60


def test_a_redis_that_lost_everything_learns_it_again(world: World, redis_url: str) -> None:
    for number in range(3):
        world.ask(f"job-{number}")
    before = world.refusal("more")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    assert world.refusal("more") == before


def test_a_limit_of_the_users_own_wins_over_the_default(world: World, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("INSERT INTO user_limits (user_id, jobs_per_hour) VALUES ('user-1', 1)")
    world.ask("first")
    assert world.refusal("second")["limit"] == 1


def test_with_both_stores_away_nobody_can_tell(dead_redis: RedisRateLimits) -> None:
    port = free_port()
    accounting = PostgresAccounting(lambda: f"postgresql://vsl@127.0.0.1:{port}/vsl")
    with pytest.raises(StoreUnavailable):
        World(dead_redis, accounting).ask("job")
