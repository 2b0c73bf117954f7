"""Who decides when which store is away, and what the client is told."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from tests.support.fakes import START, RecordingMetrics, SteppedClock, StillQueue
from tests.support.jobs import make_job
from vsl.domain.api.limits import Admission, Limits, RecentJob, UserLimits, Verdict
from vsl.domain.errors import QueueFull, RateLimitExceeded, StoreUnavailable, TooManyJobs, VslError
from vsl.domain.jobs.job import Job
from vsl.domain.jobs.place import Place
from vsl.services.admission.check_rate_limit import CheckRateLimit

if TYPE_CHECKING:
    from vsl.services.ports.jobs import JobRepository

DEFAULT = Limits(3, 2)
ADMITTED = Admission(Verdict.ADMITTED, 1, 1, 3600)


class Redis:
    """What it answers, and whether it answers at all."""

    def __init__(self, answer: Admission = ADMITTED, *, away: bool = False) -> None:
        self.answer = answer
        self.away = away
        self.limits: Limits | None = None
        self.asked: list[tuple[Limits, Sequence[RecentJob]]] = []
        self.withdrawn: list[tuple[str, str]] = []

    def admit(
        self,
        job: Job,
        now: datetime,
        default: Limits,
        own: Callable[[], Limits | None],
        history: Callable[[], Sequence[RecentJob]],
        *,
        created: bool = False,
    ) -> tuple[Admission, Limits]:
        self._answer()
        self.limits = self.limits or own()
        in_force = self.limits or default
        self.asked.append((in_force, history()))
        return self.answer, in_force

    def extend(self, user_id: str, job_id: str, now: datetime, until: datetime) -> None: ...

    def release(self, user_id: str, job_id: str) -> None: ...

    def withdraw(self, user_id: str, job_id: str) -> None:
        self.withdrawn.append((user_id, job_id))

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("Redis is away.")


class PostgreSQL:
    """PostgreSQL as far as the limits look at it."""

    def __init__(
        self, jobs: Sequence[RecentJob] = (), own: UserLimits | None = None, *, away: bool = False
    ) -> None:
        self.jobs = jobs
        self.own = own or UserLimits()
        self.away = away
        self.limit_reads = 0

    def recent_jobs(self, user_id: str, since: datetime) -> Sequence[RecentJob]:
        self._answer()
        return [job for job in self.jobs if job.created_at > since]

    def user_limits(self, user_id: str) -> UserLimits:
        self._answer()
        self.limit_reads += 1
        return self.own

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("PostgreSQL is away.")


def use_case(
    redis: Redis,
    postgresql: PostgreSQL,
    default: Limits,
    metrics: RecordingMetrics,
    queue: StillQueue | None = None,
    queue_limit: int = 100,
) -> CheckRateLimit:
    repository = cast("JobRepository", postgresql)
    queue = queue or StillQueue()
    return CheckRateLimit(redis, repository, SteppedClock(), metrics, default, queue, queue_limit)


def ask(
    redis: Redis, postgresql: PostgreSQL, default: Limits = DEFAULT, job: Job | None = None
) -> tuple[Admission, RecordingMetrics]:
    metrics = RecordingMetrics()
    admission, *_ = use_case(redis, postgresql, default, metrics)(job or make_job())
    return admission, metrics


def refusal(redis: Redis, postgresql: PostgreSQL, default: Limits = DEFAULT) -> VslError:
    with pytest.raises((RateLimitExceeded, TooManyJobs)) as caught:
        ask(redis, postgresql, default)
    return caught.value


def ended(*minutes: int) -> list[RecentJob]:
    """Jobs that began so many minutes ago."""
    return [RecentJob(f"job-{each}", START - timedelta(minutes=each), None) for each in minutes]


def running(*minutes: int) -> list[RecentJob]:
    return [
        RecentJob(f"run-{each}", START - timedelta(minutes=each), START + timedelta(minutes=1))
        for each in minutes
    ]


def full(wait: float) -> Admission:
    return Admission(Verdict.HOUR_IS_FULL, 3, 1, wait)


CROWDED = Admission(Verdict.TOO_MANY_RUN, 2, 2, 1800)


def test_an_admitted_job_passes_without_a_word() -> None:
    admission, metrics = ask(Redis(), PostgreSQL())
    assert admission == ADMITTED
    assert metrics.counted == []


@pytest.mark.parametrize(
    ("wait", "seconds", "words"),
    [(0.001, 1, "1 second"), (41.2, 42, "42 seconds"), (3599.9, 3600, "60 minutes")],
)
def test_a_refusal_says_when_to_come_back_and_never_too_early(
    wait: float, seconds: int, words: str
) -> None:
    error = refusal(Redis(full(wait)), PostgreSQL())
    assert isinstance(error, RateLimitExceeded)
    assert (error.details["retryAfter"], error.details["limit"]) == (seconds, 3)
    assert error.message == f"The limit of 3 jobs an hour is reached; try again in {words}."
    assert error.details["headers"] == {
        "RateLimit-Policy": '"hour";q=3;w=3600, "concurrent";q=2;qu="concurrent-requests"',
        "RateLimit": f'"hour";r=0;t={seconds}, "concurrent";r=1',
    }


@pytest.mark.parametrize(("estimated", "limit", "hint"), [(5.0, 2, 3), (290.0, 2, 60), (0.1, 9, 1)])
def test_too_many_at_once_is_another_refusal_with_a_guess(
    estimated: float, limit: int, hint: int
) -> None:
    with pytest.raises(TooManyJobs) as caught:
        ask(Redis(CROWDED), PostgreSQL(), Limits(3, limit), make_job(estimated_time=estimated))
    assert caught.value.details["retryAfter"] == hint
    assert caught.value.details["limit"] == limit
    assert f"{limit} jobs at once" in caught.value.message


@pytest.mark.parametrize("answer", [full(5), CROWDED])
def test_a_refusal_is_counted(answer: Admission) -> None:
    metrics = RecordingMetrics()
    with pytest.raises((RateLimitExceeded, TooManyJobs)):
        use_case(Redis(answer), PostgreSQL(), DEFAULT, metrics)(make_job())
    assert metrics.names() == ["RateLimited"]


@pytest.mark.parametrize(
    ("own", "in_force"),
    [
        (UserLimits(9, 5), Limits(9, 5)),
        (UserLimits(None, 5), Limits(3, 5)),
        (UserLimits(0, None), Limits(0, 2)),
    ],
)
def test_the_users_own_limits_are_read_once_and_then_remembered(
    own: UserLimits, in_force: Limits
) -> None:
    redis, postgresql = Redis(), PostgreSQL(own=own)
    ask(redis, postgresql)
    ask(redis, postgresql)
    assert [limits for limits, _ in redis.asked] == [in_force, in_force]
    assert postgresql.limit_reads == 1


@pytest.mark.parametrize(
    ("own", "kind"), [(UserLimits(0, 5), RateLimitExceeded), (UserLimits(5, 0), TooManyJobs)]
)
def test_nobody_waits_for_a_limit_of_zero(own: UserLimits, kind: type[VslError]) -> None:
    error = refusal(Redis(away=True), PostgreSQL(own=own))
    assert type(error) is kind
    assert "retryAfter" not in error.details
    assert error.details["limit"] == 0
    assert "may not start jobs" in error.message


def test_with_redis_away_postgresql_counts_the_hour() -> None:
    admission, _ = ask(Redis(away=True), PostgreSQL(ended(70, 20, 10)))
    assert (admission.verdict, admission.in_hour, admission.running) == (Verdict.ADMITTED, 3, 1)
    error = refusal(Redis(away=True), PostgreSQL(ended(70, 50, 20, 10)))
    assert (error.code, error.details["retryAfter"]) == ("RateLimitExceeded", 600)


def test_with_redis_away_postgresql_counts_what_runs() -> None:
    stale = [RecentJob("stale", START - timedelta(minutes=50), START)]
    admission, _ = ask(Redis(away=True), PostgreSQL([*stale, *running(5)]))
    assert admission.running == 2
    error = refusal(Redis(away=True), PostgreSQL(running(5, 6)))
    assert (error.code, error.details["limit"]) == ("TooManyJobs", 2)


def test_with_redis_away_a_job_that_is_written_down_was_admitted() -> None:
    job = make_job()
    known = RecentJob(job.job_id, job.created_at, job.deadline)
    admission, _ = ask(Redis(away=True), PostgreSQL([*running(5, 6, 7), known]))
    assert admission.verdict is Verdict.AGAIN


def test_with_postgresql_away_redis_decides_on_the_default_and_remembers_no_guess() -> None:
    redis = Redis()
    ask(redis, PostgreSQL(away=True))
    assert redis.asked == [(Limits(3, 2), ())]
    assert redis.limits is None


@pytest.mark.parametrize("age", [timedelta(minutes=1), timedelta(hours=2)])
def test_with_redis_away_its_age_is_no_admission(age: timedelta) -> None:
    job = make_job(at=START - age)
    with pytest.raises(TooManyJobs):
        ask(Redis(away=True), PostgreSQL(running(5, 6)), job=job)
    check = use_case(Redis(away=True), PostgreSQL(running(5, 6)), DEFAULT, RecordingMetrics())
    admission, *_ = check(job, created=True)
    assert admission.verdict is Verdict.AGAIN


def test_with_both_away_nobody_decides() -> None:
    with pytest.raises(StoreUnavailable, match="PostgreSQL"):
        ask(Redis(away=True), PostgreSQL(away=True))


@pytest.mark.parametrize(
    ("wait", "seconds", "words"),
    [(0, 1, "1 second"), (61.2, 62, "62 seconds"), (9000, 3600, "60 minutes")],
)
def test_a_full_queue_takes_no_new_job(wait: float, seconds: int, words: str) -> None:
    redis, metrics, job = Redis(), RecordingMetrics(), make_job()
    with pytest.raises(QueueFull) as caught:
        use_case(redis, PostgreSQL(), DEFAULT, metrics, StillQueue(100, wait))(job)
    assert caught.value.details == {"retryAfter": seconds, "limit": 100}
    message = f"100 jobs wait for the provider already; try again in {words}."
    assert caught.value.message == message
    assert redis.withdrawn == [(job.user_id, job.job_id)], "it takes no place in its user's limits"
    assert metrics.names() == ["RateLimited"]


@pytest.mark.parametrize(
    ("answer", "depth", "limit"),
    [
        (ADMITTED, 99, 100),
        (ADMITTED, 9_000, 0),
        (Admission(Verdict.AGAIN, 1, 1, 3600), 9_000, 100),
    ],
)
def test_a_queue_with_room_takes_it_and_a_job_that_was_admitted_before_is_kept(
    answer: Admission, depth: int, limit: int
) -> None:
    redis = Redis(answer)
    queue = StillQueue(depth, 60)
    check = use_case(redis, PostgreSQL(), DEFAULT, RecordingMetrics(), queue, limit)
    found, _, outlook = check(make_job())
    assert found == answer
    foreseen = outlook.place if outlook else None
    assert foreseen == (Place(depth + 1, 60, 30, 120) if answer is ADMITTED else None)
    assert redis.withdrawn == []


def test_a_full_queue_does_not_hide_a_limit_of_the_user() -> None:
    check = use_case(Redis(CROWDED), PostgreSQL(), DEFAULT, RecordingMetrics(), StillQueue(9_000))
    with pytest.raises(TooManyJobs):
        check(make_job())
