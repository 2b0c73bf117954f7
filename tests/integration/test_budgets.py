"""Budgets, credits, usage, ledger and alerts against a real PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.fakes import START
from tests.support.jobs import make_job
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.errors import BudgetExceeded, IdempotencyKeyReused
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus, MediaType, OrphanedPrediction
from vsl.domain.jobs.status import tracked_document
from vsl.domain.jobs.terms import PriceTerms
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.money.budgets import NO_BUDGETS, STAGE, Budget, BudgetDefaults, Period, owner_of
from vsl.domain.money.usage import DIMENSIONS, UsageLine, UsageRequest

pytestmark = pytest.mark.integration

USER, OTHER = "user-1", "user-2"
OWNER = owner_of(USER)
TODAY = START.date()
PRICE = 3_000
DEFAULTS = BudgetDefaults(user_day=7_000, user_month=9_000, stage_month=90_000)
DAY, MONTH, TOTAL, CREDIT = Period.DAY, Period.MONTH, Period.TOTAL, Period.CREDIT


class Money:
    """One process: what holds, and what reads."""

    def __init__(self, connection: PostgresConnection, defaults: BudgetDefaults) -> None:
        self.jobs = PostgresJobRepository(connection, defaults)
        self.budgets = PostgresBudgets(connection, defaults)

    def hold(self, seed: str, **changes: Any) -> Job:
        job = make_job(seed, **changes)
        self.jobs.create_job(job, None)
        return job

    def end(self, job: Job, cost: str) -> None:
        """Succeeded if it cost something, failed else."""
        status = JobStatus.SUCCEEDED if Decimal(cost) else JobStatus.FAILED
        code = None if Decimal(cost) else "PredictionFailed"
        end = FinishedJob(
            job,
            status,
            job.created_at,
            actual_cost=Decimal(cost),
            error_code=code,
            error_message=code,
            settled=True,
        )
        assert self.jobs.finish_job(end)

    def read(self, owner: str = OWNER, today: date = TODAY) -> dict[Period, Budget]:
        return {budget.period: budget for budget in self.budgets.read(owner, today)}

    def usage(
        self, *by: str, user_id: str | None = None, first: date = TODAY, last: date = TODAY
    ) -> list[UsageLine]:
        names = tuple(name for name in DIMENSIONS if name in by)
        return list(self.budgets.usage(UsageRequest(first, last, names, user_id)))


@pytest.fixture
def with_defaults(connection: PostgresConnection) -> Callable[[BudgetDefaults], Money]:
    return lambda defaults: Money(connection, defaults)


@pytest.fixture
def money(connection: PostgresConnection) -> Money:
    return Money(connection, NO_BUDGETS)


def counts(budget: Budget) -> tuple[int | None, int, int, bool]:
    return budget.limit, budget.spent, budget.held, budget.own


@pytest.mark.parametrize("touched", [False, True])
def test_defaults_are_in_force_before_and_after_the_first_job(
    with_defaults: Callable[[BudgetDefaults], Money], touched: bool
) -> None:
    money = with_defaults(DEFAULTS)
    held = 0
    if touched:
        money.hold("first")
        held = PRICE
    found = money.read()
    assert counts(found[DAY]) == (7_000, 0, held, False)
    assert counts(found[MONTH]) == (9_000, 0, held, False)
    assert counts(found[TOTAL]) == (None, 0, held, False)
    assert found.keys() == {DAY, MONTH, TOTAL}
    assert (found[DAY].starts, found[MONTH].starts) == (TODAY, TODAY.replace(day=1))
    stage = money.read(STAGE)
    assert (stage[DAY].limit, stage[MONTH].limit) == (None, 90_000)


def test_what_is_held_becomes_spent(money: Money) -> None:
    one, two = money.hold("one"), money.hold("two")
    money.end(one, "0.002")
    for owner in (OWNER, STAGE):
        for period in (DAY, MONTH, TOTAL):
            assert counts(money.read(owner)[period]) == (None, 2_000, PRICE, False)
    money.end(two, "0")
    assert counts(money.read()[DAY]) == (None, 2_000, 0, False)


def test_the_day_and_the_month_begin_anew_when_they_are_read(money: Money) -> None:
    money.hold("one")
    tomorrow = money.read(today=TODAY + timedelta(days=1))
    assert [tomorrow[period].held for period in (DAY, MONTH, TOTAL)] == [0, PRICE, PRICE]
    next_month = money.read(today=date(2026, 4, 1))
    assert [next_month[period].held for period in (DAY, MONTH, TOTAL)] == [0, 0, PRICE]
    assert money.read()[DAY].held == PRICE, "reading changes nothing"


def test_a_job_that_runs_says_what_is_held_in_every_store(money: Money) -> None:
    terms = PriceTerms("gpu_second", Decimal("0.001"), Decimal(1), Decimal("3.5"))
    job = money.hold("one", price=terms)
    running = money.jobs.status(job.job_id)
    item = TrackedJob(job, JobStatus.PENDING, job.deadline, START)
    assert running is not None
    assert running["heldCost"] == tracked_document(item)["heldCost"] == "0.0105"
    money.end(job, "0.003")
    ended = money.jobs.status(job.job_id)
    assert ended is not None
    assert (ended["actualCost"], ended["heldCost"]) == ("0.003", None)


@pytest.mark.parametrize("owner", [OWNER, STAGE])
@pytest.mark.parametrize("period", [DAY, MONTH, TOTAL])
def test_a_limit_admits_exactly_what_fits(money: Money, owner: str, period: Period) -> None:
    money.budgets.set_limit(owner, period, 7_000)
    money.hold("one")
    money.hold("two")
    with pytest.raises(BudgetExceeded) as caught:
        money.hold("three")
    details = caught.value.details
    assert details["budget"] == f"{'stage' if owner == STAGE else 'user'}/{period}"
    told = tuple(details.get(name) for name in ("limit", "held", "left"))
    assert told == ((None,) * 3 if owner == STAGE else ("0.007", "0.006", "0.001"))
    assert details["wouldHold"] == "0.003"
    assert money.read(owner)[period].held == 6_000
    money.budgets.set_limit(owner, period, 9_000)
    money.hold("three")


def test_a_limit_is_raised_lowered_and_taken_away(
    with_defaults: Callable[[BudgetDefaults], Money],
) -> None:
    money = with_defaults(DEFAULTS)
    money.budgets.set_limit(OWNER, DAY, 10_000)
    assert counts(money.read()[DAY]) == (10_000, 0, 0, True)
    job = money.hold("one")
    money.budgets.set_limit(OWNER, DAY, 1_000)
    assert money.read()[DAY].left == 0
    with pytest.raises(BudgetExceeded):
        money.hold("two")
    money.end(job, "0.003")
    assert counts(money.read()[DAY]) == (1_000, PRICE, 0, True)
    money.budgets.set_limit(OWNER, DAY, None)
    assert counts(money.read()[DAY]) == (7_000, PRICE, 0, False)


def test_a_budget_of_nothing_is_closed_for_what_is_free_too(money: Money) -> None:
    money.budgets.set_limit(OWNER, TOTAL, 0)
    with pytest.raises(BudgetExceeded):
        money.hold("free", estimated_cost=Decimal(0))


class TestCredits:
    def test_they_are_granted_once_per_key(self, money: Money) -> None:
        assert money.budgets.grant("key", USER, 5_000)
        assert not money.budgets.grant("key", USER, 5_000)
        assert counts(money.read()[CREDIT]) == (5_000, 0, 0, True)
        assert money.budgets.grant("other key", USER, 1)
        assert money.read()[CREDIT].limit == 5_001

    def test_a_hundred_repeats_at_once_credit_once(self, postgres_url: str) -> None:
        def repeat(_number: int) -> list[bool]:
            connection = PostgresConnection(lambda: postgres_url)
            try:
                budgets = PostgresBudgets(connection)
                return [budgets.grant("key", USER, 5_000) for _ in range(10)]
            finally:
                connection.close()

        with ThreadPoolExecutor(10) as pool:
            found = [made for each in pool.map(repeat, range(10)) for made in each]
        assert (len(found), sum(found)) == (100, 1)
        connection = PostgresConnection(lambda: postgres_url)
        assert Money(connection, NO_BUDGETS).read()[CREDIT].limit == 5_000
        connection.close()

    @pytest.mark.parametrize(("user_id", "amount"), [(OTHER, 5_000), (USER, 4_999)])
    def test_a_key_stands_for_one_user_and_amount(
        self, money: Money, user_id: str, amount: int
    ) -> None:
        money.budgets.grant("key", USER, 5_000)
        with pytest.raises(IdempotencyKeyReused):
            money.budgets.grant("key", user_id, amount)
        assert money.read()[CREDIT].limit == 5_000
        assert CREDIT not in money.read(owner_of(OTHER))

    def test_jobs_are_paid_from_them(self, money: Money) -> None:
        money.budgets.grant("key", USER, 5_000)
        job = money.hold("one")
        with pytest.raises(BudgetExceeded) as caught:
            money.hold("two")
        assert caught.value.details["budget"] == "user/credit"
        money.end(job, "0.002")
        assert counts(money.read()[CREDIT]) == (5_000, 2_000, 0, True)
        money.hold("two")

    def test_where_users_have_to_prepay_nothing_starts_without(
        self, with_defaults: Callable[[BudgetDefaults], Money]
    ) -> None:
        money = with_defaults(BudgetDefaults(prepaid=True))
        assert money.read()[CREDIT].limit == 0
        with pytest.raises(BudgetExceeded):
            money.hold("one")
        assert money.read()[CREDIT].limit == 0
        money.budgets.grant("key", USER, PRICE)
        money.hold("one")
        assert CREDIT not in money.read(STAGE)


class TestUsage:
    @pytest.fixture
    def money(self, money: Money) -> Money:
        """Two days, two users, two models, an orphan, an overrun and a hold."""
        yesterday = START - timedelta(days=1)
        dev = {"model_id": "flux-dev", "estimated_cost": Decimal("0.025")}
        late = START.replace(hour=23, minute=59)
        money.end(money.hold("a"), "0.003")
        money.end(money.hold("b", at=late), "0")
        money.hold("c", **dev)
        money.end(money.hold("d", at=yesterday, user_id=OTHER, **dev), "0.025")
        video = money.hold(
            "e", at=yesterday, user_id=OTHER, media_type=MediaType.VIDEO, model_id="video"
        )
        money.end(video, "0.005")
        orphan = OrphanedPrediction("rep-9", START, "webhook", Decimal("0.001"))
        money.jobs.record_orphan(video.job_id, orphan)
        return money

    def test_of_one_day(self, money: Money) -> None:
        assert money.usage("modelId") == [
            UsageLine({"modelId": "flux-schnell"}, 2, 1, 3_000, 0, 0),
            UsageLine({"modelId": "flux-dev"}, 1, 0, 0, 25_000, 0),
        ]

    def test_by_everything(self, money: Money) -> None:
        found = money.usage(*DIMENSIONS, first=TODAY - timedelta(days=1))
        shown = [(*line.key.values(), line.spent, line.held, line.stage) for line in found]
        assert shown == [
            ("2026-03-01", USER, "flux-schnell", "image", 3_000, 0, 0),
            ("2026-03-01", USER, "flux-dev", "image", 0, 25_000, 0),
            ("2026-02-28", OTHER, "flux-dev", "image", 25_000, 0, 0),
            ("2026-02-28", OTHER, "video", "video", 3_000, 0, 3_000),
        ]

    @pytest.mark.parametrize("name", DIMENSIONS)
    def test_each_dimension_adds_up_to_the_same(self, money: Money, name: str) -> None:
        first = TODAY - timedelta(days=1)
        (whole,) = money.usage(first=first)
        assert whole == UsageLine({}, 5, 3, 31_000, 25_000, 3_000)
        lines = money.usage(name, first=first)
        assert all(list(line.key) == [name] for line in lines)
        assert len(lines) == (3 if name == "modelId" else 2)
        for count in ("jobs", "succeeded", "spent", "held", "stage"):
            assert sum(getattr(line, count) for line in lines) == getattr(whole, count)

    def test_of_one_user(self, money: Money) -> None:
        first = TODAY - timedelta(days=1)
        (line,) = money.usage(user_id=OTHER, first=first)
        assert (line.jobs, line.spent, line.stage) == (2, 28_000, 3_000)
        assert money.usage(user_id="nobody", first=first) == []

    def test_it_is_what_the_budgets_and_the_ledger_say(self, money: Money) -> None:
        (whole,) = money.usage(first=TODAY - timedelta(days=1))
        stage = money.read(STAGE)[TOTAL]
        assert (stage.spent, stage.held) == (whole.spent + whole.stage, whole.held)
        assert money.read()[TOTAL].spent + money.read(owner_of(OTHER))[TOTAL].spent == whole.spent

    def test_a_day_is_one_of_utc_wherever_the_server_stands(
        self, money: Money, connection: PostgresConnection
    ) -> None:
        first = TODAY - timedelta(days=1)
        usual = [money.usage("day"), money.usage("day", first=first, last=first)]
        connection.run(lambda it: it.execute("SET TIME ZONE 'Pacific/Kiritimati'"))
        assert [money.usage("day"), money.usage("day", first=first, last=first)] == usual


def test_the_movements_of_a_job_in_order(money: Money) -> None:
    job, other = money.hold("one"), money.hold("two")
    money.end(job, "0.004")
    orphan = OrphanedPrediction("rep-9", START, "webhook", Decimal("0.001"))
    money.jobs.record_orphan(job.job_id, orphan)
    found = money.budgets.movements(job.job_id)
    assert [(it.subject, it.name, it.from_account, it.to_account, it.amount) for it in found] == [
        (job.job_id, "hold", f"invoice:{USER}", f"held:{USER}", 3_000),
        (job.job_id, "charge", f"held:{USER}", "provider", 3_000),
        (job.job_id, "overrun", "stage", "provider", 1_000),
        ("rep-9", "orphan", "stage", "provider", 1_000),
    ]
    assert {it.job_id for it in found} == {job.job_id}
    assert [it.entry for it in found] == sorted(it.entry for it in found)
    assert [it.name for it in money.budgets.movements(other.job_id)] == ["hold"]
    assert money.budgets.movements(make_job("never").job_id) == []


class TestAlerts:
    def told(self, money: Money) -> list[tuple[str, Period, int]]:
        """What has to be published now, and is from here on."""
        alerts = money.budgets.claim_unpublished()
        for alert in alerts:
            money.budgets.mark_published(alert)
        return sorted((it.budget.owner, it.budget.period, it.level) for it in alerts)

    def test_a_level_is_told_once_a_period(self, money: Money) -> None:
        money.budgets.set_limit(OWNER, DAY, 6_000)
        money.hold("one")
        assert self.told(money) == [(OWNER, DAY, 50)]
        money.hold("two")
        assert self.told(money) == [(OWNER, DAY, 80), (OWNER, DAY, 100)]
        with suppress(BudgetExceeded):
            money.hold("three")
        assert self.told(money) == []
        money.hold("tomorrow", at=START + timedelta(days=1))
        assert self.told(money) == [(OWNER, DAY, 50)]

    def test_a_refusal_tells_that_the_budget_is_full(self, money: Money) -> None:
        money.budgets.set_limit(STAGE, MONTH, 3_700)
        money.hold("one")
        assert self.told(money) == [(STAGE, MONTH, 50), (STAGE, MONTH, 80)]
        with pytest.raises(BudgetExceeded):
            money.hold("two")
        assert self.told(money) == [(STAGE, MONTH, 100)]

    def test_a_job_too_dear_does_not_make_a_budget_full(self, money: Money) -> None:
        money.budgets.set_limit(STAGE, MONTH, 2_999)
        with pytest.raises(BudgetExceeded):
            money.hold("one")
        assert self.told(money) == []

    def test_a_higher_limit_has_levels_of_its_own(self, money: Money) -> None:
        money.budgets.set_limit(OWNER, DAY, PRICE)
        money.hold("one")
        assert len(self.told(money)) == 3
        money.budgets.set_limit(OWNER, DAY, 10 * PRICE)
        for number in range(4):
            money.hold(f"more {number}")
        assert self.told(money) == [(OWNER, DAY, 50)]
