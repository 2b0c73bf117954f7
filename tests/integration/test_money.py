"""Budgets, holds and the ledger on a real PostgreSQL, with many connections at once."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.support.jobs import make_job
from tests.support.money_books import MoneyBooks
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.errors import BudgetExceeded, IdempotencyKeyReused, ModelFrozen, VslError
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus, OrphanedPrediction
from vsl.domain.jobs.terms import PriceTerms
from vsl.domain.money.budgets import NO_BUDGETS, STAGE, BudgetDefaults, Period, owner_of

pytestmark = pytest.mark.integration

# A month with days before and after, all of them over: the rules never count a day of the future.
DAY = datetime(2026, 2, 10, 12, tzinfo=UTC)
PRICE = 3000  # what `make_job` may cost, in micro-dollars
USER = "user-1"


@pytest.fixture
def sql(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def repository(connection: PostgresConnection) -> PostgresJobRepository:
    return PostgresJobRepository(connection)


@pytest.fixture
def budgets(connection: PostgresConnection) -> PostgresBudgets:
    return PostgresBudgets(connection)


@pytest.fixture
def books(sql: psycopg.Connection) -> Iterator[Callable[[], MoneyBooks]]:
    """What is written, which must agree with itself, also when the test is over."""

    def read() -> MoneyBooks:
        found = MoneyBooks.of_postgres(sql)
        assert list(found.faults()) == []
        return found

    yield read
    read()


type Books = Callable[[], MoneyBooks]


def job(name: object = "job", at: datetime = DAY, **changes: Any) -> Job:
    return make_job(str(name), at, **changes)


def gpu_job(name: object = "job", **changes: Any) -> Job:
    """Its estimate is $0.003 and its hold four times that."""
    terms = PriceTerms("gpu_second", Decimal("0.001"), Decimal(3), Decimal(4))
    return job(name, price=terms, **changes)


def ended(it: Job, cost: str | None = "0.003", **changes: Any) -> FinishedJob:
    values: dict[str, Any] = {
        "status": JobStatus.SUCCEEDED,
        "completed_at": it.created_at + timedelta(seconds=9),
        "replicate_id": f"paid-{it.job_id}",
        "actual_cost": None if cost is None else Decimal(cost),
    }
    return FinishedJob(it, **(values | changes))


def failed(it: Job, **changes: Any) -> FinishedJob:
    error = {"status": JobStatus.FAILED, "error_code": "PredictionFailed", "error_message": "no"}
    return ended(it, "0", **(error | changes))


def unknown(it: Job) -> FinishedJob:
    """Ended while its prediction still runs."""
    return failed(it, actual_cost=None, settled=False)


def entries(books: MoneyBooks, subject: str) -> dict[str, tuple[str, str, int]]:
    """By movement."""
    return {it.movement: it[2:] for it in books.ledger if it.subject == subject}


def counts(books: MoneyBooks, owner: str) -> tuple[int, int]:
    """Spent and held, of all time."""
    row = books.budgets[owner]
    return row.spent, row.held


HELD = (f"invoice:{USER}", f"held:{USER}", PRICE)


# --- many at once ------------------------------------------------------------------------------


class Crowd:
    """Threads with a connection each."""

    def __init__(self, url: str, size: int = 16, defaults: BudgetDefaults = NO_BUDGETS) -> None:
        self._connections = [PostgresConnection(lambda: url, time_limit=120.0) for _ in range(size)]
        self.repositories = [PostgresJobRepository(it, defaults) for it in self._connections]
        self.budgets = [PostgresBudgets(it, defaults) for it in self._connections]

    def run(self, work: Sequence[Callable[[int], object]]) -> list[object]:
        """What each piece of work returned, or the code of what it raised; it is told whose it is."""
        ahead, done, lock = list(enumerate(work)), dict[int, object](), threading.Lock()

        def serve(number: int) -> None:
            while True:
                with lock:
                    if not ahead:
                        return
                    place, piece = ahead.pop(0)
                try:
                    done[place] = piece(number)
                except VslError as error:
                    done[place] = error.code

        with ThreadPoolExecutor(len(self._connections)) as threads:
            for future in [
                threads.submit(serve, number) for number in range(len(self._connections))
            ]:
                future.result()
        return [done[place] for place in range(len(work))]

    def create(self, jobs: Iterable[Job]) -> list[object]:
        def creating(made: Job) -> Callable[[int], object]:
            return lambda number: self.repositories[number].create_job(made, None)

        return self.run([creating(made) for made in jobs])

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@pytest.mark.parametrize(
    ("users", "defaults"),
    [
        pytest.param(1, BudgetDefaults(user_day=7 * PRICE), id="one user, day"),
        pytest.param(1, BudgetDefaults(user_month=8 * PRICE - 1), id="one user, month"),
        pytest.param(25, BudgetDefaults(stage_day=7 * PRICE), id="stage, many users"),
        pytest.param(25, BudgetDefaults(stage_month=8 * PRICE - 1), id="stage, month"),
        pytest.param(
            4,
            BudgetDefaults(user_day=3 * PRICE, user_month=3 * PRICE, stage_day=7 * PRICE),
            id="both",
        ),
    ],
)
def test_money_for_seven_admits_seven_of_five_hundred(
    users: int, defaults: BudgetDefaults, postgres_url: str, books: Books
) -> None:
    jobs = [job(number, user_id=f"user-{number % users}") for number in range(500)]
    with closing(Crowd(postgres_url, defaults=defaults)) as crowd:
        told = crowd.create(jobs)
    admitted = [answer for answer in told if answer != "BudgetExceeded"]
    assert len(admitted) == 7
    assert counts(books(), STAGE) == (0, 7 * PRICE)


def test_credits_for_seven_admit_seven_of_five_hundred(
    postgres_url: str, budgets: PostgresBudgets, books: Books
) -> None:
    budgets.grant("top-up", USER, 7 * PRICE)
    with closing(Crowd(postgres_url)) as crowd:
        told = crowd.create(job(number) for number in range(500))
    assert told.count("BudgetExceeded") == 493
    assert books().balances()[f"credit:{USER}"] == 0


def test_what_is_given_back_is_admitted_again_and_never_more(
    postgres_url: str, books: Books
) -> None:
    """Half of the jobs fail for free while others ask: at the end the budget is full, and not over."""
    defaults = BudgetDefaults(user_day=7 * PRICE)

    def life(number: int) -> Callable[[int], object]:
        made = job(number)
        end = failed(made) if number % 2 else ended(made)

        def live(it: int) -> object:
            crowd.repositories[it].create_job(made, None)
            return crowd.repositories[it].finish_job(end) and end.status

        return live

    with closing(Crowd(postgres_url, defaults=defaults)) as crowd:
        told = crowd.run([life(number) for number in range(500)])
    assert told.count(JobStatus.SUCCEEDED) == 7
    assert counts(books(), owner_of(USER)) == (7 * PRICE, 0)


def test_a_job_that_is_created_many_times_is_held_for_once(postgres_url: str, books: Books) -> None:
    with closing(Crowd(postgres_url)) as crowd:
        told = crowd.run([lambda it: crowd.repositories[it].create_job(job(), None).new] * 100)
    assert told.count(True) == 1
    assert counts(books(), STAGE) == (0, PRICE)


def test_repeats_of_one_top_up_credit_once(postgres_url: str, books: Books) -> None:
    with closing(Crowd(postgres_url)) as crowd:
        told = crowd.run([lambda it: crowd.budgets[it].grant("key", USER, 500)] * 100)
    assert told.count(True) == 1
    assert books().budgets[owner_of(USER)].granted == 500


def test_a_job_that_ends_many_times_is_settled_once(
    postgres_url: str, repository: PostgresJobRepository, books: Books
) -> None:
    repository.create_job(job(), None)
    with closing(Crowd(postgres_url)) as crowd:
        crowd.run([lambda it: crowd.repositories[it].finish_job(ended(job())) is not None] * 50)
    assert counts(books(), STAGE) == (PRICE, 0)


def test_nothing_deadlocks_whatever_meets(postgres_url: str, books: Books) -> None:
    """Ends with orphaned predictions, orphans by themselves, late costs, grants, limits and holds."""
    draw = random.Random(1)
    users = [f"user-{number}" for number in range(3)]

    def whole(number: int) -> list[Callable[[int], object]]:
        user = draw.choice(users)
        made = job(number, user_id=user)
        orphans = tuple(
            OrphanedPrediction(f"orphan-{number}-{n}", DAY, "list", Decimal("0.003"))
            for n in range(draw.choice([0, 0, 1, 2]))
        )
        end = draw.choice(
            [
                ended(made, orphans=orphans),
                ended(made, "0.004", orphans=orphans),
                failed(made, orphans=orphans),
                replace(unknown(made), orphans=orphans),
            ]
        )

        def live(it: int) -> None:
            repository, budgets = crowd.repositories[it], crowd.budgets[it]
            repository.create_job(made, None)
            budgets.grant(f"key-{number % 20}", users[number % 20 % 3], 10**6)
            repository.finish_job(end)

        def settle(it: int) -> None:
            repository, budgets = crowd.repositories[it], crowd.budgets[it]
            repository.create_job(made, None)
            for orphan in orphans:
                repository.record_orphan(made.job_id, orphan)
            repository.settle_prediction(
                made.job_id, f"paid-{made.job_id}", Decimal("0.002"), None, None
            )
            budgets.set_limit(STAGE, Period.TOTAL, 10**12 + number)
            repository.release_hold(made.job_id)

        def last(it: int) -> None:
            settle(it)
            live(it)

        return [live, settle, last]

    with closing(Crowd(postgres_url)) as crowd:
        told = crowd.run([piece for number in range(150) for piece in whole(number)])
    assert Counter(answer for answer in told if answer is not None) == {}
    assert counts(books(), STAGE)[1] == 0, "all of it is settled"


# --- ledger ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", ["UPDATE ledger SET amount = 1", "DELETE FROM ledger", "TRUNCATE ledger"]
)
def test_the_ledger_is_only_ever_added_to(
    change: str, repository: PostgresJobRepository, sql: psycopg.Connection, books: Books
) -> None:
    repository.create_job(job(), None)
    before = books()
    with pytest.raises(errors.IntegrityConstraintViolation, match="only ever added to"):
        sql.execute(change.encode())
    assert books() == before


def test_the_view_has_the_sums(
    repository: PostgresJobRepository, sql: psycopg.Connection, books: Books
) -> None:
    repository.create_job(job(), None)
    repository.finish_job(ended(job(), "0.005"))
    balances = sql.execute("SELECT account, balance FROM account_balances").fetchall()
    assert dict(balances) == books().balances()


# --- each end ----------------------------------------------------------------------------------


def test_success_is_paid_and_the_rest_of_the_hold_is_free_again(
    repository: PostgresJobRepository, books: Books
) -> None:
    it = gpu_job()
    repository.create_job(it, None)
    assert counts(books(), owner_of(USER)) == counts(books(), STAGE) == (0, 4 * PRICE)
    for _ in range(2):  # settling is repeatable
        repository.finish_job(ended(it, "0.005"))
        assert entries(books(), it.job_id) == {
            "hold": (f"invoice:{USER}", f"held:{USER}", 4 * PRICE),
            "charge": (f"held:{USER}", "provider", 5000),
            "release": (f"held:{USER}", f"invoice:{USER}", 7000),
        }
        assert counts(books(), owner_of(USER)) == counts(books(), STAGE) == (5000, 0)


def test_what_failed_is_free(repository: PostgresJobRepository, books: Books) -> None:
    repository.create_job(job(), None)
    repository.finish_job(failed(job()))
    assert entries(books(), job().job_id).keys() == {"hold", "release"}
    assert counts(books(), owner_of(USER)) == (0, 0)


def test_an_unknown_end_is_held_until_it_is_known(
    repository: PostgresJobRepository, books: Books
) -> None:
    repository.create_job(job(), None)
    repository.finish_job(unknown(job()))
    assert counts(books(), owner_of(USER)) == (0, PRICE)
    repository.settle_prediction(job().job_id, f"paid-{job().job_id}", Decimal("0.001"), 1.0, 1.0)
    assert counts(books(), owner_of(USER)) == (1000, 0)


@pytest.mark.parametrize(
    ("cost", "user", "stage"), [("0.001", 1000, 0), ("0", 0, 0), ("0.003", 3000, 0)]
)
def test_a_cost_that_is_never_known_is_assumed_and_corrected_if_it_turns_up(
    cost: str, user: int, stage: int, repository: PostgresJobRepository, books: Books
) -> None:
    it, name = gpu_job(), f"paid-{job().job_id}"
    repository.create_job(it, None)
    repository.finish_job(unknown(it))
    for _ in range(2):
        repository.settle_prediction(it.job_id, name, None, None, None)
        assert books().holds[it.job_id][-4:] == (True, PRICE, 0, True)
        assert counts(books(), owner_of(USER)) == (PRICE, 0)
    for _ in range(2):
        repository.settle_prediction(it.job_id, name, Decimal(cost), None, None)
        assert counts(books(), owner_of(USER)) == (user, 0)
        assert counts(books(), STAGE) == (user + stage, 0)
    assert books().holds[it.job_id].assumed is False


def test_a_correction_above_the_hold_is_an_overrun(
    repository: PostgresJobRepository, books: Books
) -> None:
    repository.create_job(job(), None)
    repository.finish_job(ended(job(), None))
    repository.settle_prediction(
        job().job_id, f"paid-{job().job_id}", Decimal("0.0071"), None, None
    )
    assert counts(books(), owner_of(USER)) == (PRICE, 0)
    assert counts(books(), STAGE) == (7100, 0)
    assert entries(books(), job().job_id)["overrun"] == ("stage", "provider", 4100)


def test_what_was_learnt_after_the_hold_was_given_back_is_paid_by_the_stage(
    repository: PostgresJobRepository, books: Books
) -> None:
    repository.create_job(job(), None)
    repository.finish_job(replace(unknown(job()), replicate_id=None))
    repository.release_hold(job().job_id)
    assert counts(books(), owner_of(USER)) == (0, 0)
    for _ in range(2):
        repository.settle_prediction(job().job_id, "found", Decimal("0.002"), None, None)
        assert entries(books(), job().job_id)["late"] == ("stage", "provider", 2000)
        assert (counts(books(), owner_of(USER)), counts(books(), STAGE)) == ((0, 0), (2000, 0))


def test_a_cost_that_grows_twice_is_counted_once(
    repository: PostgresJobRepository, sql: psycopg.Connection, books: Books
) -> None:
    """The ledger has one late cost for a job: the first."""
    repository.create_job(job(), None)
    for cost in (1000, 2000, 9000):
        sql.execute("SELECT settle_money(%s, %s)", (job().job_id, cost))
        books()
    assert counts(books(), STAGE) == (2000, 0)


def test_the_stage_pays_what_is_above_the_hold(
    repository: PostgresJobRepository, books: Books
) -> None:
    repository.create_job(job(), None)
    repository.finish_job(ended(job(), "0.0031"))
    assert (counts(books(), owner_of(USER)), counts(books(), STAGE)) == ((3000, 0), (3100, 0))


@pytest.mark.parametrize("first", [Decimal("0.002"), None])
def test_the_stage_pays_an_orphan_once(
    first: Decimal | None, repository: PostgresJobRepository, books: Books
) -> None:
    repository.create_job(job(), None)
    orphan = OrphanedPrediction("orphan", DAY, "list", first)
    repository.finish_job(ended(job(), orphans=(orphan,)))
    for _ in range(2):
        repository.record_orphan(job().job_id, replace(orphan, cost=Decimal("0.002")))
    assert (counts(books(), owner_of(USER)), counts(books(), STAGE)) == ((3000, 0), (5000, 0))
    assert entries(books(), "orphan") == {"orphan": ("stage", "provider", 2000)}


def test_a_job_of_before_there_were_holds_is_held_for_what_it_cost(
    repository: PostgresJobRepository, sql: psycopg.Connection, books: Books
) -> None:
    """Whatever its budget says by now."""
    sql.execute("INSERT INTO budgets (owner, day_limit) VALUES ('user:user-1', 0)")
    repository.finish_job(ended(job()))  # which writes the job, too
    assert counts(books(), owner_of(USER)) == (3000, 0)
    assert entries(books(), job().job_id).keys() == {"hold", "charge"}


@pytest.mark.parametrize("end", [failed(job()), unknown(job())], ids=["free", "unknown"])
def test_a_job_without_a_hold_that_cost_nothing_leaves_no_trace(
    end: FinishedJob, repository: PostgresJobRepository, books: Books
) -> None:
    repository.finish_job(end)
    repository.release_hold(job().job_id)
    assert (books().ledger, books().holds) == (frozenset(), {})


def test_a_free_job_is_counted_without_an_entry(
    repository: PostgresJobRepository, books: Books
) -> None:
    it = job(estimated_cost=Decimal(0))
    repository.create_job(it, None)
    repository.finish_job(ended(it, "0"))
    assert books().ledger == frozenset()
    assert books().holds[it.job_id].settled


# --- frozen models -----------------------------------------------------------------------------


def test_a_cost_above_three_times_the_estimate_freezes_the_model(
    repository: PostgresJobRepository, budgets: PostgresBudgets, books: Books
) -> None:
    for number, cost in enumerate(["0.009", "0.009001"]):
        repository.create_job(job(number), None)
        repository.finish_job(ended(job(number), cost))
        assert len(budgets.frozen()) == number
    (frozen,) = budgets.frozen()
    assert (frozen.model_id, frozen.estimate, frozen.cost) == ("flux-schnell", 3000, 9001)
    assert counts(books(), owner_of(USER)) == (6000, 0), "the user pays no more than the hold"
    before = books()
    with pytest.raises(ModelFrozen):
        repository.create_job(job("next"), None)
    assert books() == before
    repository.create_job(job("other", model_id="flux-dev"), None)


def test_what_was_settled_does_not_freeze_a_model_again(
    repository: PostgresJobRepository, budgets: PostgresBudgets
) -> None:
    """An operator has looked at that cost."""
    repository.create_job(job(), None)
    repository.finish_job(ended(job(), "1"))
    assert budgets.unfreeze("flux-schnell")
    repository.finish_job(ended(job(), "1"))
    repository.settle_prediction(job().job_id, f"paid-{job().job_id}", Decimal(1), None, None)
    assert budgets.frozen() == []
    assert not budgets.unfreeze("flux-schnell")


# --- prepaid -----------------------------------------------------------------------------------


def test_credits_are_spent_and_given_back(
    repository: PostgresJobRepository, budgets: PostgresBudgets, books: Books
) -> None:
    budgets.grant("key", USER, 2 * PRICE)
    for number in range(2):
        repository.create_job(job(number), None)
    with pytest.raises(BudgetExceeded, match="credits") as caught:
        repository.create_job(job(2), None)
    assert caught.value.details["budget"] == "user/credit"
    repository.finish_job(failed(job(0)))
    repository.finish_job(ended(job(1)))
    repository.create_job(job(2), None)
    row = books().budgets[owner_of(USER)]
    assert (row.granted, row.credit_spent, row.credit_held) == (6000, 3000, 3000)


def test_jobs_that_run_when_the_first_credits_come_stay_on_the_invoice(
    repository: PostgresJobRepository, budgets: PostgresBudgets, books: Books
) -> None:
    repository.create_job(job("before"), None)
    budgets.grant("key", USER, PRICE)
    repository.create_job(job("after"), None)
    for name in ("before", "after"):
        repository.finish_job(ended(job(name)))
    balances = books().balances()
    assert (balances[f"invoice:{USER}"], balances[f"credit:{USER}"]) == (-PRICE, 0)


def test_who_must_prepay_and_has_no_credits_starts_nothing(
    connection: PostgresConnection, budgets: PostgresBudgets, books: Books
) -> None:
    repository = PostgresJobRepository(connection, BudgetDefaults(prepaid=True))
    with pytest.raises(BudgetExceeded, match="no credits"):
        repository.create_job(job(), None)
    budgets.grant("key", USER, PRICE)
    repository.create_job(job(), None)
    assert counts(books(), owner_of(USER)) == (0, PRICE)


def test_a_key_stands_for_one_grant(budgets: PostgresBudgets, books: Books) -> None:
    assert budgets.grant("key", USER, 5)
    assert not budgets.grant("key", USER, 5)
    for user, amount in ((USER, 6), ("user-2", 5)):
        with pytest.raises(IdempotencyKeyReused):
            budgets.grant("key", user, amount)
    assert books().balances()["grants"] == -5


# --- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", [Period.DAY, Period.MONTH, Period.TOTAL])
@pytest.mark.parametrize("owner", [STAGE, owner_of(USER)])
def test_limits_are_set_lowered_raised_and_removed(
    owner: str,
    period: Period,
    repository: PostgresJobRepository,
    budgets: PostgresBudgets,
    books: Books,
) -> None:
    def refuse(name: str) -> dict[str, Any]:
        with pytest.raises(BudgetExceeded) as caught:
            repository.create_job(job(name), None)
        return caught.value.details

    budgets.set_limit(owner, period, 2 * PRICE)
    for number in range(2):
        repository.create_job(job(number), None)
    details = refuse("third")
    assert details["budget"] == f"{owner.partition(':')[0]}/{period}"
    told = {name: details.get(name) for name in ("limit", "spent", "held")}
    full = {"limit": "0.006", "spent": "0", "held": "0.006"}
    assert told == (dict.fromkeys(full) if owner == STAGE else full)
    budgets.set_limit(owner, period, PRICE)  # below what is held already
    repository.finish_job(ended(job(0)))
    assert refuse("fourth").get("left") == (None if owner == STAGE else "0")
    repository.finish_job(ended(job(1), "0.004"))
    budgets.set_limit(owner, period, 0)
    refuse(
        "free",
    )
    budgets.set_limit(owner, period, 20000)
    repository.create_job(job("raised"), None)
    budgets.set_limit(owner, period, 1)
    budgets.set_limit(owner, period, None)
    repository.create_job(job("removed"), None)
    assert counts(books(), STAGE) == (7000, 6000)


def test_a_budget_of_nothing_refuses_what_is_free(
    repository: PostgresJobRepository, budgets: PostgresBudgets
) -> None:
    budgets.set_limit(owner_of(USER), Period.DAY, 0)
    with pytest.raises(BudgetExceeded, match="is 0"):
        repository.create_job(job(estimated_cost=Decimal(0)), None)


def test_an_own_limit_stands_before_the_default(
    connection: PostgresConnection, budgets: PostgresBudgets
) -> None:
    repository = PostgresJobRepository(connection, BudgetDefaults(user_day=0, stage_day=0))
    budgets.set_limit(owner_of(USER), Period.DAY, PRICE)
    budgets.set_limit(STAGE, Period.DAY, PRICE)
    repository.create_job(job(), None)
    with pytest.raises(BudgetExceeded):
        repository.create_job(job("other", user_id="user-2"), None)


def test_a_refusal_writes_nothing(
    connection: PostgresConnection, books: Books, sql: psycopg.Connection
) -> None:
    """Also when the user has room and the stage has none. A job too dear does not make a budget full."""
    repository = PostgresJobRepository(connection, BudgetDefaults(stage_day=PRICE - 1))
    with pytest.raises(BudgetExceeded):
        repository.create_job(job(), None)
    assert sql.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    found = books()
    assert (found.budgets, found.holds, found.ledger, found.alerts) == (
        {},
        {},
        frozenset(),
        frozenset(),
    )


def test_a_refusal_tells_that_a_budget_is_full(
    connection: PostgresConnection, books: Books
) -> None:
    """What is left may be too little for any job, and the level of 100 % is never reached."""
    limit = PRICE * 5 // 4
    repository = PostgresJobRepository(connection, BudgetDefaults(stage_day=limit))
    repository.create_job(job(), None)
    with pytest.raises(BudgetExceeded):
        repository.create_job(job("other", user_id="user-2"), None)
    levels = {level for _, _, _, _, level, *_ in books().alerts}
    assert levels == {50, 80, 100}


@pytest.mark.parametrize("price", ["0.02", "20", "40000"])
def test_a_refusal_is_told_whatever_the_amounts(
    connection: PostgresConnection, books: Books, price: str
) -> None:
    """Their sums, and those hundredfold, pass the types that numbers of their size travel in."""
    limit = int(Decimal(price) * 2_200_000)
    repository = PostgresJobRepository(connection, BudgetDefaults(stage_day=limit))
    spent, held, refused = (
        job(name, price=None, estimated_cost=Decimal(price))
        for name in ("spent", "held", "refused")
    )
    repository.create_job(spent, None)
    repository.finish_job(ended(spent, price))
    repository.create_job(held, None)
    with pytest.raises(BudgetExceeded):
        repository.create_job(refused, None)
    assert 100 in {level for _, _, _, _, level, *_ in books().alerts}


# --- time --------------------------------------------------------------------------------------


def test_the_day_and_the_month_turn_over_with_a_hold_still_open(
    connection: PostgresConnection, books: Books
) -> None:
    defaults = BudgetDefaults(user_day=2 * PRICE, user_month=3 * PRICE)
    repository = PostgresJobRepository(connection, defaults)
    days = [DAY, DAY + timedelta(days=1), DAY + timedelta(days=31)]
    for name in ("paid", "open"):
        repository.create_job(job(name, days[0]), None)
    repository.finish_job(ended(job("paid", days[0])))
    with pytest.raises(BudgetExceeded) as caught:
        repository.create_job(job("third", days[0]), None)
    assert caught.value.details["resetsAt"] == "2026-02-11T00:00:00.000Z"

    repository.create_job(job("next day", days[1]), None)
    with pytest.raises(BudgetExceeded) as caught:
        repository.create_job(job("too much", days[1]), None)
    assert caught.value.details["budget"] == "user/month"
    assert caught.value.details["resetsAt"] == "2026-03-01T00:00:00.000Z"

    # What was held yesterday and is settled today is yesterday's.
    repository.finish_job(ended(job("open", days[0]), "0.001"))
    row = books().budgets[owner_of(USER)]
    assert (row.day, row.day_spent, row.day_held) == (days[1].date(), 0, PRICE)
    assert (row.month_spent, row.month_held) == (4000, PRICE)

    repository.create_job(job("next month", days[2]), None)
    repository.finish_job(ended(job("next day", days[1])))
    row = books().budgets[owner_of(USER)]
    assert (row.day_spent, row.day_held, row.month_spent, row.month_held) == (0, PRICE, 0, PRICE)
    assert (row.spent, row.held) == (7000, PRICE)


def test_a_job_of_yesterday_that_comes_late_counts_today(
    repository: PostgresJobRepository, books: Books
) -> None:
    repository.create_job(job("today", DAY), None)
    repository.create_job(job("late", DAY - timedelta(days=1)), None)
    row = books().budgets[owner_of(USER)]
    assert (row.day, row.day_held) == (DAY.date(), 2 * PRICE)


def test_a_clock_that_is_ahead_turns_no_budget_over(
    repository: PostgresJobRepository, budgets: PostgresBudgets, sql: psycopg.Connection
) -> None:
    repository.create_job(job("ahead", datetime.now(UTC) + timedelta(days=40)), None)
    assert sql.execute(
        "SELECT bool_and(day <= (now() AT TIME ZONE 'UTC')::date) FROM budgets"
    ).fetchone() == (True,)
    repository.finish_job(ended(job("ahead of its hold", datetime.now(UTC) + timedelta(days=40))))
    assert sql.execute(
        "SELECT bool_and(day <= (now() AT TIME ZONE 'UTC')::date) FROM budgets"
    ).fetchone() == (True,)


# --- reading and alerts ------------------------------------------------------------------------


def test_a_budget_is_read_as_it_counts_on_the_day(
    connection: PostgresConnection, books: Books
) -> None:
    defaults = BudgetDefaults(user_day=10 * PRICE, prepaid=True)
    budgets = PostgresBudgets(connection, defaults)
    user, today = owner_of(USER), DAY.date()
    assert [(it.period, it.limit, it.spent, it.held) for it in budgets.read(user, today)] == [
        ("day", 30000, 0, 0), ("month", None, 0, 0), ("total", None, 0, 0), ("credit", 0, 0, 0),
    ]  # fmt: skip
    budgets.grant("key", USER, 5 * PRICE)
    budgets.set_limit(user, Period.MONTH, 6 * PRICE)
    repository = PostgresJobRepository(connection, defaults)
    for number in range(2):
        repository.create_job(job(number), None)
    repository.finish_job(ended(job(0)))
    found = budgets.read(user, today)
    assert [(it.period, it.limit, it.spent, it.held, it.own) for it in found] == [
        ("day", 30000, 3000, 3000, False),
        ("month", 18000, 3000, 3000, True),
        ("total", None, 3000, 3000, False),
        ("credit", 15000, 3000, 3000, True),
    ]
    tomorrow = budgets.read(user, today + timedelta(days=1))
    assert [(it.spent, it.held) for it in tomorrow] == [(0, 0)] + [(3000, 3000)] * 3
    assert [it.period for it in budgets.read(STAGE, today)] == ["day", "month", "total"]


def levels(books: MoneyBooks, owner: str = owner_of(USER)) -> list[tuple[Any, ...]]:
    """Start, limit and level."""
    return sorted(it[2:5] for it in books.alerts if it[0] == owner)


def test_alerts_are_once_per_level_period_and_limit(
    repository: PostgresJobRepository, budgets: PostgresBudgets, books: Books
) -> None:
    budgets.set_limit(owner_of(USER), Period.DAY, 10 * PRICE)
    told = [repository.create_job(job(number), None).alerted for number in range(10)]
    assert told == [number in {5, 8, 10} for number in range(1, 11)]
    today = DAY.date()
    assert levels(books()) == [(today, 30000, 50), (today, 30000, 80), (today, 30000, 100)]
    with pytest.raises(BudgetExceeded):
        repository.create_job(job("more"), None)
    assert len(books().alerts) == 3, "that it is full was said"
    # A job that is free again and taken again tells nothing new; a new limit does, and a new day.
    repository.finish_job(failed(job(0)))
    assert not repository.create_job(job("again"), None).alerted
    budgets.set_limit(owner_of(USER), Period.DAY, 20 * PRICE)
    assert repository.create_job(job("raised"), None).alerted
    assert levels(books())[-1] == (today, 60000, 50)
    budgets.set_limit(owner_of(USER), Period.DAY, 10 * PRICE)
    tomorrow = DAY + timedelta(days=1)
    told = [repository.create_job(job(f"{n}+", tomorrow), None).alerted for n in range(5)]
    assert told == [False] * 4 + [True]


def test_one_job_tells_of_every_budget_that_it_fills(
    repository: PostgresJobRepository, budgets: PostgresBudgets, books: Books
) -> None:
    for owner in (STAGE, owner_of(USER)):
        budgets.set_limit(owner, Period.DAY, PRICE)
        budgets.set_limit(owner, Period.TOTAL, PRICE)
    assert repository.create_job(job(), None).alerted
    assert Counter((it[0], it[1]) for it in books().alerts) == {
        (owner, period): 3 for owner in (STAGE, owner_of(USER)) for period in ("day", "total")
    }


def test_the_movements_of_a_job_are_read_in_their_order(
    repository: PostgresJobRepository, budgets: PostgresBudgets
) -> None:
    it = gpu_job()
    repository.create_job(it, None)
    orphan = OrphanedPrediction("orphan", DAY, "list", Decimal("0.001"))
    repository.finish_job(ended(it, "0.013", orphans=(orphan,)))
    found = [(each.name, each.subject, each.amount) for each in budgets.movements(it.job_id)]
    assert found[0] == ("hold", it.job_id, 12000)
    assert set(found[1:]) == {
        ("charge", it.job_id, 12000),
        ("overrun", it.job_id, 1000),
        ("orphan", "orphan", 1000),
    }
