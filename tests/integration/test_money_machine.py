"""Any interleaving of what moves money: PostgreSQL and the rules in memory write the same rows, and
after each step these agree with themselves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from devstack.servers import Postgres
from tests.fault.harness.job_repository import MemoryJobRepository
from tests.integration.conftest import own_database
from tests.support.jobs import make_job
from tests.support.memory_money import MemoryMoney
from tests.support.money_books import MoneyBooks
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus, OrphanedPrediction
from vsl.domain.jobs.terms import PriceTerms
from vsl.domain.money.budgets import STAGE, BudgetDefaults, Period, owner_of

pytestmark = [pytest.mark.integration, pytest.mark.no_cover]

FIRST = datetime(2026, 1, 30, 12, tzinfo=UTC)
USERS = ("user-1", "user-2")
OWNERS = (STAGE, *map(owner_of, USERS))
MODELS = ("flux-schnell", "flux-dev")

users, owners, models = map(st.sampled_from, (USERS, OWNERS, MODELS))
costs = st.sampled_from([None, "0", "0.001", "0.003", "0.0040", "0.008", "0.013"])
limits = st.sampled_from([None, 0, 3000, 7000, 10_000, 50_000])
periods = st.sampled_from([Period.DAY, Period.MONTH, Period.TOTAL])
defaults = st.builds(BudgetDefaults, limits, limits, limits, limits, prepaid=st.booleans())
no_defaults = st.just(BudgetDefaults())
numbers = st.integers(0, 1_000)


class MoneyMachine(RuleBasedStateMachine):
    """On a database of its own."""

    def __init__(self, server: Postgres) -> None:
        super().__init__()
        self.database = own_database(server)
        url = next(self.database)
        self.connection = PostgresConnection(lambda: url)
        self.sql = psycopg.connect(url, autocommit=True)
        self.jobs: list[Job] = []
        self.now = FIRST

    @initialize(chosen=no_defaults | defaults)
    def begin(self, chosen: BudgetDefaults) -> None:
        self.money = MemoryMoney(chosen)
        self.memory = MemoryJobRepository(self.money)
        self.real = PostgresJobRepository(self.connection, chosen)
        self.budgets = PostgresBudgets(self.connection, chosen)

    def teardown(self) -> None:
        self.sql.close()
        self.connection.close()
        next(self.database, None)

    def both(self, memory: object, real: object, call: Callable[[Any], object]) -> object:
        """What both answer."""
        answers = [_answer(call, it) for it in (memory, real)]
        assert answers[0] == answers[1]
        return answers[0]

    def repositories(self, call: Callable[[Any], object]) -> object:
        return self.both(self.memory, self.real, call)

    def pick(self, number: int) -> Job:
        return self.jobs[number % len(self.jobs)]

    # --- jobs ----------------------------------------------------------------------------------

    @rule(
        user=users,
        model=models,
        estimate=st.sampled_from(["0", "0.001", "0.003"]),
        times=st.sampled_from([1, 1, 4]),
        late=st.sampled_from([0, 0, 0, 1]),
        written=st.sampled_from([True, True, True, False]),
    )
    def ask(
        self, user: str, model: str, estimate: str, times: int, late: int, *, written: bool
    ) -> None:
        """For a job, perhaps of yesterday; an older version wrote it down at its end alone."""
        job = make_job(
            f"{len(self.jobs)}",
            self.now - timedelta(days=late),
            user_id=user,
            model_id=model,
            estimated_cost=Decimal(estimate),
            price=PriceTerms("gpu_second", Decimal(1), Decimal(1), Decimal(times)),
        )
        if written:
            self.create(job)
        self.jobs.append(job)

    @precondition(lambda self: self.jobs)
    @rule(number=numbers)
    def ask_again(self, number: int) -> None:
        self.create(self.pick(number))

    def create(self, job: Job) -> None:
        before = self.books()
        answer = self.repositories(lambda it: it.create_job(job, None))
        after = self.books()
        if isinstance(answer, tuple):  # refused
            assert replace(after, alerts=before.alerts) == before
        elif after.holds != before.holds:
            for owner in (STAGE, owner_of(job.user_id)):
                for budget in self.money.in_force(owner, after.budgets[owner].day):
                    assert budget.limit is not None
                    assert budget.spent + budget.held <= budget.limit

    @precondition(lambda self: self.jobs)
    @rule(
        number=numbers,
        status=st.sampled_from([JobStatus.SUCCEEDED, JobStatus.FAILED]),
        cost=costs,
        settled=st.sampled_from([True, True, False]),
        has_prediction=st.sampled_from([True, True, False]),
        orphan=st.none() | st.tuples(st.integers(0, 3), costs),
    )
    def end(
        self,
        number: int,
        status: JobStatus,
        cost: str | None,
        orphan: tuple[int, str | None] | None,
        *,
        settled: bool,
        has_prediction: bool,
    ) -> None:
        job = self.pick(number)
        failed = status is JobStatus.FAILED
        end = FinishedJob(
            job,
            status,
            job.created_at + timedelta(seconds=9),
            replicate_id=f"paid-{job.job_id}" if has_prediction else None,
            error_code="PredictionFailed" if failed else None,
            error_message="no" if failed else None,
            actual_cost=_cost(cost) if settled else None,
            orphans=(self.orphan(job, *orphan),) if orphan else (),
            settled=settled,
        )
        self.repositories(lambda it: it.finish_job(end) is None)

    @precondition(lambda self: self.jobs)
    @rule(number=numbers, cost=costs)
    def settle(self, number: int, cost: str | None) -> None:
        job_id = self.pick(number).job_id
        self.repositories(
            lambda it: it.settle_prediction(job_id, f"paid-{job_id}", _cost(cost), None, None)
        )

    @precondition(lambda self: self.jobs)
    @rule(number=numbers)
    def release(self, number: int) -> None:
        self.repositories(lambda it: it.release_hold(self.pick(number).job_id))

    @precondition(lambda self: self.jobs)
    @rule(number=numbers, which=st.integers(0, 3), cost=costs)
    def find_orphan(self, number: int, which: int, cost: str | None) -> None:
        job = self.pick(number)
        orphan = self.orphan(job, which, cost)
        self.repositories(lambda it: it.record_orphan(job.job_id, orphan))

    def orphan(self, job: Job, which: int, cost: str | None) -> OrphanedPrediction:
        return OrphanedPrediction(f"{job.job_id}-{which}", self.now, "list", _cost(cost))

    # --- budgets -------------------------------------------------------------------------------

    @rule(key=st.integers(0, 2), user=users, amount=st.sampled_from([1, 5000, 20_000]))
    def grant(self, key: int, user: str, amount: int) -> None:
        self.both(self.money, self.budgets, lambda it: it.grant(f"key-{key}", user, amount))

    @rule(owner=owners, period=periods, limit=limits)
    def limit(self, owner: str, period: Period, limit: int | None) -> None:
        self.both(self.money, self.budgets, lambda it: it.set_limit(owner, period, limit))

    @rule(model=models)
    def unfreeze(self, model: str) -> None:
        self.both(self.money, self.budgets, lambda it: it.unfreeze(model))

    @rule(days=st.sampled_from([1, 1, 2, 30]))
    def sleep(self, days: int) -> None:
        self.now += timedelta(days=days)

    # --- what must hold ------------------------------------------------------------------------

    def books(self) -> MoneyBooks:
        real, memory = MoneyBooks.of_postgres(self.sql), MoneyBooks.of_memory(self.money)
        assert real == memory
        assert list(real.faults()) == []
        return real

    @invariant()
    def the_books_agree(self) -> None:
        self.books()

    @invariant()
    def the_limits_in_force_are_read(self) -> None:
        today = self.now.date()
        for owner in OWNERS:
            limited = [it for it in self.budgets.read(owner, today) if it.limit is not None]
            assert limited == self.money.in_force(owner, today)


def _cost(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _answer(call: Callable[[Any], object], store: object) -> object:
    try:
        return call(store)
    except VslError as error:
        return error.code, error.details if error.code == "BudgetExceeded" else None


@pytest.mark.timeout(1800)
def test_any_interleaving_writes_the_same_rows_and_they_agree(postgres: Postgres) -> None:
    make: Any = lambda: MoneyMachine(postgres)  # noqa: E731 - hypothesis asks for a class
    run_state_machine_as_test(
        make, settings=settings(max_examples=30, stateful_step_count=30, derandomize=True)
    )
