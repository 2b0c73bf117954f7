"""Both limits against a real Redis: atomic, sliding, once per job, and right after a loss."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from redis.crc import key_slot

from devstack.servers import free_port
from tests.support.fakes import START, RecordingMetrics, SteppedClock, StillQueue
from tests.support.jobs import make_job
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.rate_limits import RedisRateLimits
from vsl.domain.api.limits import WINDOW, Admission, Limits, RecentJob, Verdict
from vsl.domain.errors import StoreUnavailable, VslError
from vsl.domain.jobs.job import MAX_TIMEOUT_SECONDS, FinishedJob, Job, JobStatus
from vsl.services.admission.check_rate_limit import CheckRateLimit

pytestmark = pytest.mark.integration

MANY = 1_000_000


@pytest.fixture
def limits(redis_url: str) -> Iterator[RedisRateLimits]:
    client = RedisClient(lambda: redis_url)
    yield RedisRateLimits(lambda: redis_url, client)
    client.close()


@pytest.fixture
def repository(connection: PostgresConnection) -> PostgresJobRepository:
    return PostgresJobRepository(connection)


def nothing() -> Sequence[RecentJob]:
    return ()


def ask(
    limits: RedisRateLimits,
    seed: str,
    per_hour: int = MANY,
    concurrent: int = MANY,
    at: datetime = START,
    later: int = 0,
    **changes: Any,
) -> Admission:
    """`later` milliseconds after the job was made: a call of its own, and no repetition of the first."""
    job, wanted = make_job(seed, at, **changes), Limits(per_hour, concurrent)
    return limits.admit(job, at + timedelta(milliseconds=later), wanted, lambda: None, nothing)[0]


def wait(*arguments: Any, **named: Any) -> float | None:
    """None when admitted, else seconds until the hour has a place."""
    answer = ask(*arguments, **named)
    return None if answer.admitted else answer.next_place


@pytest.mark.parametrize(
    ("in_force", "refused"),
    [
        (Limits(7, MANY), "RateLimitExceeded"),
        (Limits(MANY, 7), "TooManyJobs"),
        (Limits(7, 7), "RateLimitExceeded"),
    ],
)
def test_of_200_requests_at_once_exactly_the_limit_is_admitted(
    limits: RedisRateLimits, repository: PostgresJobRepository, in_force: Limits, refused: str
) -> None:
    together = threading.Barrier(200)
    check = CheckRateLimit(
        limits, repository, SteppedClock(), RecordingMetrics(), in_force, StillQueue(), 0
    )

    def request(number: int) -> str:
        together.wait()
        try:
            check(make_job(f"job-{number}"))
        except VslError as error:
            return error.code
        return "admitted"

    with ThreadPoolExecutor(200) as threads:
        answers = list(threads.map(request, range(200)))
    assert answers.count("admitted") == 7
    assert set(answers) == {"admitted", refused}


def test_a_job_that_waits_for_the_provider_keeps_its_place_at_once_beyond_its_deadline(
    limits: RedisRateLimits,
) -> None:
    waiting = make_job("waits")
    assert ask(limits, "waits", concurrent=1).admitted
    until = START + timedelta(hours=6)
    limits.extend(waiting.user_id, waiting.job_id, START, until)
    for hours in (0.5, 2, 5.9):
        at = START + timedelta(hours=hours)
        assert ask(limits, f"after {hours} hours", concurrent=1, at=at).verdict is (
            Verdict.TOO_MANY_RUN
        )
    turn = START + timedelta(hours=5)  # its turn has come, and its own deadline is in force
    limits.extend(waiting.user_id, waiting.job_id, turn, turn + timedelta(minutes=10))
    late = turn + timedelta(minutes=11)
    assert ask(limits, "later", concurrent=1, at=late).admitted


def test_a_place_that_was_given_back_is_not_extended(limits: RedisRateLimits) -> None:
    ended = make_job("ended")
    assert ask(limits, "ended", concurrent=1).admitted
    limits.release(ended.user_id, ended.job_id)
    limits.extend(ended.user_id, ended.job_id, START, START + timedelta(hours=6))
    assert ask(limits, "next", concurrent=1).admitted


def test_a_job_is_counted_once_however_often_it_asks(limits: RedisRateLimits) -> None:
    verdicts = [ask(limits, "job-1", 2, 2, later=number) for number in range(5)]
    assert [each.verdict for each in verdicts] == [Verdict.ADMITTED] + [Verdict.AGAIN] * 4
    assert [(each.in_hour, each.running) for each in verdicts] == [(1, 1)] * 5
    assert ask(limits, "job-2", 2, 2).admitted
    assert ask(limits, "job-3", 2, 2).verdict is Verdict.HOUR_IS_FULL
    assert ask(limits, "job-1", 2, 2).admitted, "still admitted when full"


def test_a_refused_job_takes_no_place_in_either_limit(limits: RedisRateLimits) -> None:
    assert ask(limits, "job-1", 5, 1).admitted
    refused = ask(limits, "job-2", 5, 1)
    assert (refused.verdict, refused.in_hour, refused.running) == (Verdict.TOO_MANY_RUN, 1, 1)
    refused = ask(limits, "job-3", 1, 5)
    assert (refused.verdict, refused.in_hour, refused.running) == (Verdict.HOUR_IS_FULL, 1, 1)
    admitted = ask(limits, "job-4", 2, 2)
    assert (admitted.verdict, admitted.in_hour, admitted.running) == (Verdict.ADMITTED, 2, 2)


@pytest.mark.parametrize("minutes", [0, 59, 60, 61, 600])
def test_waiting_is_no_way_past_a_limit(limits: RedisRateLimits, minutes: int) -> None:
    """A job counts by what was decided about it, however long ago its id was made."""
    old, now = make_job("old"), START + timedelta(minutes=minutes)
    limits.admit(make_job("other", now), now, Limits(1, 9), lambda: None, nothing)
    refused, _ = limits.admit(old, now, Limits(1, 9), lambda: None, nothing)
    assert (refused.verdict, refused.in_hour) == (Verdict.HOUR_IS_FULL, 1)


def test_a_job_that_is_created_takes_its_place_and_is_never_refused(
    limits: RedisRateLimits,
) -> None:
    job = make_job("job-1")
    ask(limits, "job-1", 1, 1)
    limits.withdraw(job.user_id, job.job_id)
    ask(limits, "job-2", 1, 1)
    at = START + timedelta(seconds=1)
    for _ in range(2):
        again, _ = limits.admit(job, at, Limits(1, 1), lambda: None, nothing, created=True)
        assert (again.verdict, again.in_hour, again.running) == (Verdict.AGAIN, 2, 2)
    late = job.created_at + WINDOW
    again, _ = limits.admit(job, late, Limits(1, 1), lambda: None, nothing, created=True)
    assert (again.verdict, again.in_hour, again.running) == (Verdict.AGAIN, 0, 0)


def test_a_place_comes_back_when_its_job_ends(limits: RedisRateLimits) -> None:
    ask(limits, "job-1", 9, 1)
    assert not ask(limits, "job-2", 9, 1).admitted
    for _ in range(2):
        limits.release("user-1", make_job("job-1").job_id)
    limits.release("user-1", "never there")
    assert ask(limits, "job-2", 9, 1).admitted
    again = ask(limits, "job-1", 9, 1, later=1)
    assert (again.verdict, again.running) == (Verdict.AGAIN, 1), "an ended job is not counted again"


def test_a_job_that_never_started_is_counted_nowhere(limits: RedisRateLimits) -> None:
    ask(limits, "job-1", 1, 1)
    for _ in range(2):
        limits.withdraw("user-1", make_job("job-1").job_id)
    again = ask(limits, "job-2", 1, 1)
    assert (again.verdict, again.in_hour, again.running) == (Verdict.ADMITTED, 1, 1)


def test_a_place_nobody_gave_back_is_free_at_the_deadline(limits: RedisRateLimits) -> None:
    job = make_job("lost")
    limits.admit(job, START, Limits(9, 1), lambda: None, nothing)
    before = job.deadline - timedelta(milliseconds=1)
    assert not ask(limits, "next", 9, 1, at=before).admitted
    assert ask(limits, "next", 9, 1, at=job.deadline).admitted


def test_a_refused_job_may_come_again(limits: RedisRateLimits) -> None:
    ask(limits, "job-1", 1)
    for second in range(1, 4):
        at = START + timedelta(seconds=second)
        assert wait(limits, "job-2", 1, at=at) == 3600 - second
    assert wait(limits, "job-2", 1, at=START + timedelta(hours=1)) is None


def test_the_hour_slides_and_the_wait_is_exact_to_the_millisecond(
    limits: RedisRateLimits,
) -> None:
    for minute in (0, 10, 50):
        assert wait(limits, f"job-{minute}", 3, at=START + timedelta(minutes=minute)) is None
    at = START + timedelta(minutes=55, milliseconds=250)
    assert wait(limits, "late", 3, at=at) == pytest.approx(5 * 60 - 0.25)
    just_before = START + timedelta(hours=1) - timedelta(milliseconds=1)
    assert wait(limits, "late", 3, at=just_before) == pytest.approx(0.001)
    assert wait(limits, "late", 3, at=START + timedelta(hours=1)) is None
    assert wait(limits, "next", 3, at=START + timedelta(hours=1)) == 600


def test_after_a_limit_was_lowered_the_wait_counts_every_place_that_must_free(
    limits: RedisRateLimits,
) -> None:
    for minute in range(5):
        ask(limits, f"job-{minute}", 10, at=START + timedelta(minutes=minute))
    at = START + timedelta(minutes=5)
    assert wait(limits, "new", 2, at=at) == (60 + 3 - 5) * 60
    assert wait(limits, "new", 0, at=at) == 3600


def test_users_do_not_share_a_window_whatever_their_names(limits: RedisRateLimits) -> None:
    for user in ("a", "a:hour", "{a}", "{a}:hour", "a|b=c@d"):
        assert wait(limits, f"job of {user}", 1, user_id=user) is None
        assert wait(limits, f"other of {user}", 1, user_id=user) == 3600


def test_the_keys_are_the_documented_ones_and_expire(
    limits: RedisRateLimits, redis_url: str
) -> None:
    ask(limits, "job-1", 5, 5)
    hour = "ratelimit:user:user-1:hour"
    running = f"{{{hour}}}:running"
    job = make_job("job-1")
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert set(client.keys()) == {hour, running}
        assert client.zrange(hour, 0, -1) == client.zrange(running, 0, -1) == [job.job_id]
        for key in (hour, running):
            assert 3_590_000 < int(str(client.pttl(key))) <= 3_600_000


def test_no_deadline_is_farther_away_than_the_keys_live() -> None:
    longest = make_job(timeout_seconds=MAX_TIMEOUT_SECONDS)
    assert longest.deadline - longest.created_at < WINDOW


def test_a_cluster_keeps_the_keys_of_a_user_together() -> None:
    hour = b"ratelimit:user:user-1:hour"
    for other in (b"running", b"limits"):
        assert key_slot(hour) == key_slot(b"{" + hour + b"}:" + other)


def test_the_history_is_asked_for_only_when_nothing_is_known(limits: RedisRateLimits) -> None:
    asked: list[str] = []

    def history() -> Sequence[RecentJob]:
        asked.append("once")
        return [
            RecentJob("earlier", START - timedelta(minutes=30), None),
            RecentJob("running", START - timedelta(minutes=20), START + timedelta(minutes=1)),
        ]

    first, _ = limits.admit(make_job("job-1"), START, Limits(3, 2), lambda: None, history)
    assert (first.verdict, first.in_hour, first.running) == (Verdict.ADMITTED, 3, 2)
    second, _ = limits.admit(make_job("job-2"), START, Limits(3, 2), lambda: None, history)
    assert (second.verdict, second.next_place) == (Verdict.HOUR_IS_FULL, 30 * 60)
    assert asked == ["once"]


def test_a_lost_script_is_loaded_again(limits: RedisRateLimits, redis_url: str) -> None:
    ask(limits, "job-1", 2)
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()
    assert ask(limits, "job-2", 2).admitted


def test_the_limits_in_force_are_remembered_for_a_while(
    limits: RedisRateLimits, redis_url: str
) -> None:
    asked: list[str] = []

    def own() -> Limits:
        asked.append("once")
        return Limits(0, 7)

    for job in ("job-1", "job-2"):
        _, in_force = limits.admit(make_job(job), START, Limits(1, 1), own, nothing)
        assert in_force == Limits(0, 7)
    assert asked == ["once"]
    with redis.Redis.from_url(redis_url) as client:
        assert 0 < int(str(client.ttl("{ratelimit:user:user-1:hour}:limits"))) <= 300


def test_a_default_for_want_of_better_is_not_remembered(limits: RedisRateLimits) -> None:
    _, in_force = limits.admit(make_job("job-1"), START, Limits(5, 5), lambda: None, nothing)
    assert in_force == Limits(5, 5)
    _, in_force = limits.admit(
        make_job("job-2"), START, Limits(5, 5), lambda: Limits(2, 2), nothing
    )
    assert in_force == Limits(2, 2)


class World:
    """The use case over both real stores; each admitted job is created, as in the workflow."""

    def __init__(self, limits: RedisRateLimits, repository: PostgresJobRepository) -> None:
        self.limits = limits
        self.repository = repository
        self.clock = SteppedClock()
        self.default = Limits(3, MANY)
        self.queue = StillQueue()

    def ask(self, seed: str, limits: RedisRateLimits | None = None) -> Job:
        job = make_job(seed, self.clock.now())
        check = CheckRateLimit(
            limits or self.limits,
            self.repository,
            self.clock,
            RecordingMetrics(),
            self.default,
            self.queue,
            queue_limit=50,
        )
        check(job)
        self.repository.create_job(job, None)
        return job

    def refusal(self, seed: str, limits: RedisRateLimits | None = None) -> dict[str, object]:
        with pytest.raises(VslError) as caught:
            self.ask(seed, limits)
        assert caught.value.status == 429
        return caught.value.document()

    def seconds(self, seed: str, limits: RedisRateLimits | None = None) -> object:
        details: Any = self.refusal(seed, limits)["details"]
        return details["retryAfter"]


@pytest.fixture
def world(limits: RedisRateLimits, repository: PostgresJobRepository) -> World:
    return World(limits, repository)


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
    assert world.seconds("more", dead_redis) == 57 * 60
    world.clock.advance(57 * 60)
    world.ask("more", dead_redis)
    assert world.seconds("one more", dead_redis) == 60


def test_with_redis_away_postgresql_counts_what_runs_alike(
    world: World, dead_redis: RedisRateLimits
) -> None:
    world.default = Limits(MANY, 2)
    first, _ = world.ask("job-1"), world.ask("job-2")
    assert world.refusal("more")["code"] == "TooManyJobs"
    assert world.refusal("more") == world.refusal("more", dead_redis)
    world.repository.finish_job(
        FinishedJob(first, JobStatus.SUCCEEDED, world.clock.now(), replicate_id="r")
    )
    world.ask("more", dead_redis)
    assert world.refusal("one more", dead_redis)["code"] == "TooManyJobs"


def test_a_redis_that_lost_everything_learns_it_again(world: World, redis_url: str) -> None:
    jobs = [world.ask(f"job-{number}") for number in range(3)]
    before = world.refusal("more")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    assert world.refusal("more") == before
    world.clock.advance(1)
    again, _ = world.limits.admit(jobs[1], world.clock.now(), world.default, lambda: None, nothing)
    assert (again.verdict, again.in_hour, again.running) == (Verdict.AGAIN, 3, 3)


def test_a_limit_of_the_users_own_wins_over_the_default(world: World, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "INSERT INTO user_limits (user_id, concurrent_jobs) VALUES ('user-1', 1)"
        )
    world.ask("first")
    refusal = world.refusal("second")
    assert (refusal["code"], refusal["details"]["limit"]) == ("TooManyJobs", 1)  # type: ignore[index]


def test_with_both_stores_away_nobody_can_tell(dead_redis: RedisRateLimits) -> None:
    port = free_port()
    connection = PostgresConnection(lambda: f"postgresql://vsl@127.0.0.1:{port}/vsl")
    with pytest.raises(StoreUnavailable):
        World(dead_redis, PostgresJobRepository(connection)).ask("job")


class AnswerLost:
    """A connection that breaks after the server did what it was asked, once: the client asks again."""

    def __init__(self, inner: RedisClient) -> None:
        self._inner = inner

    def run[Result](self, work: Callable[[Any], Result]) -> Result:
        self._inner.run(work)
        return self._inner.run(work)


def test_an_admission_whose_answer_is_lost_is_the_job_s_first_all_the_same(
    redis_url: str, request: pytest.FixtureRequest
) -> None:
    """Else a request that then fails would not give its place back."""
    client = RedisClient(lambda: redis_url)
    request.addfinalizer(client.close)
    lossy: Any = AnswerLost(client)
    limits = RedisRateLimits(lambda: redis_url, lossy)
    first = ask(limits, "job", per_hour=1, concurrent=1)
    assert (first.verdict, first.in_hour, first.running) == (Verdict.ADMITTED, 1, 1)
    assert ask(limits, "job", per_hour=1, concurrent=1, later=1).verdict is Verdict.AGAIN
    assert ask(limits, "another", per_hour=1).verdict is Verdict.HOUR_IS_FULL


def test_a_job_that_a_full_queue_refused_counts_in_no_limit(world: World) -> None:
    world.default = Limits(1, 1)
    world.queue.depth, world.queue.wait = 50, 5.0
    for seed in ("first", "second"):
        assert world.refusal(seed)["code"] == "QueueFull"
    world.queue.depth = 49
    world.ask("third")
    assert world.refusal("fourth")["code"] == "RateLimitExceeded"
