"""Who decides when which store is away, and what the client is told."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import make_job
from tests.support.outside import START, RecordingMetrics, SteppedClock
from vsl.domain.errors import RateLimitExceeded, StoreUnavailable
from vsl.services.check_rate_limit import WINDOW, check_rate_limit, seconds_to_wait

if TYPE_CHECKING:
    from vsl.services.ports import Accounting


class Limits:
    """Redis with its two switches: what it answers, and whether it answers at all."""

    def __init__(self, wait: float | None = None, *, away: bool = False) -> None:
        self.wait = wait
        self.away = away
        self.limit: int | None = None
        self.asked: list[tuple[int, Sequence[datetime]]] = []

    def admit(
        self,
        user_id: str,
        job_id: str,
        limit: int,
        now: datetime,
        history: Callable[[], Sequence[datetime]],
    ) -> float | None:
        self._answer()
        self.asked.append((limit, history()))
        return self.wait

    def cached_limit(self, user_id: str) -> int | None:
        self._answer()
        return self.limit

    def cache_limit(self, user_id: str, limit: int) -> None:
        self._answer()
        self.limit = limit

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("Redis is away.")


class Books:
    """PostgreSQL as far as the limit looks at it."""

    def __init__(
        self, jobs: Sequence[datetime] = (), own: int | None = None, *, away: bool = False
    ) -> None:
        self.jobs = jobs
        self.own = own
        self.away = away
        self.limit_reads = 0

    def jobs_since(self, user_id: str, since: datetime, *, excluding: str) -> Sequence[datetime]:
        self._answer()
        assert excluding == make_job().job_id
        return [at for at in self.jobs if at > since]

    def hourly_limit(self, user_id: str) -> int | None:
        self._answer()
        self.limit_reads += 1
        return self.own

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("PostgreSQL is away.")


def ask(limits: Limits, books: Books, default: int = 3) -> RecordingMetrics:
    metrics = RecordingMetrics()
    check_rate_limit(
        make_job(),
        limits=limits,
        accounting=cast("Accounting", books),
        clock=SteppedClock(),
        default_limit=default,
        metrics=metrics,
    )
    return metrics


def refusal(limits: Limits, books: Books, **more: Any) -> RateLimitExceeded:
    with pytest.raises(RateLimitExceeded) as caught:
        ask(limits, books, **more)
    return caught.value


def minutes_ago(*minutes: int) -> list[datetime]:
    return [START - timedelta(minutes=each) for each in minutes]


def test_an_admitted_job_passes_without_a_word() -> None:
    assert ask(Limits(), Books()).counted == []


@pytest.mark.parametrize(
    ("wait", "seconds", "words"),
    [(0.001, 1, "1 second"), (41.2, 42, "42 seconds"), (3599.9, 3600, "60 minutes")],
)
def test_a_refusal_says_when_to_come_back_and_never_too_early(
    wait: float, seconds: int, words: str
) -> None:
    error = refusal(Limits(wait), Books())
    assert error.details == {"retryAfter": seconds, "limit": 3}
    assert error.message == f"The limit of 3 jobs an hour is reached; try again in {words}."


def test_a_refusal_is_counted() -> None:
    metrics = RecordingMetrics()
    with pytest.raises(RateLimitExceeded):
        check_rate_limit(
            make_job(),
            limits=Limits(5),
            accounting=cast("Accounting", Books()),
            clock=SteppedClock(),
            default_limit=1,
            metrics=metrics,
        )
    assert metrics.names() == ["RateLimited"]


def test_the_users_own_limit_is_read_once_and_then_remembered() -> None:
    limits, books = Limits(), Books(own=9)
    ask(limits, books)
    ask(limits, books)
    assert [limit for limit, _ in limits.asked] == [9, 9]
    assert books.limit_reads == 1


def test_nobody_waits_an_hour_for_a_limit_of_zero() -> None:
    error = refusal(Limits(3600), Books(own=0))
    assert error.details == {"limit": 0}
    assert "may not start jobs" in error.message


def test_with_redis_away_postgresql_counts() -> None:
    assert ask(Limits(away=True), Books(minutes_ago(70, 20, 10))).counted == []
    error = refusal(Limits(away=True), Books(minutes_ago(70, 50, 20, 10)))
    assert error.details == {"retryAfter": 600, "limit": 3}
    assert refusal(Limits(away=True), Books(minutes_ago(1), own=1)).details["limit"] == 1


def test_with_postgresql_away_redis_decides_on_the_default_and_remembers_no_guess() -> None:
    limits = Limits()
    ask(limits, Books(away=True))
    assert limits.asked == [(3, ())]
    assert limits.limit is None


def test_with_both_away_nobody_decides() -> None:
    with pytest.raises(StoreUnavailable, match="PostgreSQL"):
        ask(Limits(away=True), Books(away=True))


@given(
    ages=st.lists(st.integers(0, 3599), max_size=12),
    limit=st.integers(1, 8),
)
def test_the_wait_is_the_first_moment_with_a_place(ages: list[int], limit: int) -> None:
    admitted = sorted(START - timedelta(seconds=age) for age in ages)
    wait = seconds_to_wait(admitted, limit, START)

    def taken(at: datetime) -> int:
        return sum(1 for admission in admitted if admission > at - WINDOW)

    if wait is None:
        assert taken(START) < limit
    else:
        assert taken(START + timedelta(seconds=wait)) < limit
        assert taken(START + timedelta(seconds=wait) - timedelta(milliseconds=1)) >= limit
