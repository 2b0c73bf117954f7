"""Jobs of before there was a ledger: migration 0002 gives them their entries, and they settle on."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from database.migrate import MIGRATIONS, migrate
from tests.support.jobs import make_job
from tests.support.money_books import MoneyBooks
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus
from vsl.domain.money.budgets import STAGE, Budget, owner_of
from vsl.domain.money.usage import UsageRequest

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
EARLIER = NOW.replace(day=1) - timedelta(days=3)  # always of the month before
USER = "user-1"

_JOB = """
    INSERT INTO jobs (job_id, user_id, media_type, model_id, parameters, status, timeout_seconds,
        estimated_time, estimated_cost, actual_cost, error_code, created_at, completed_at, replicate_id)
    VALUES (%s, %s, 'image', 'flux-schnell', '{}', %s, 120, 5, 0.003, %s, %s, %s, %s, %s)
"""
_ORPHAN = """
    INSERT INTO orphaned_predictions (replicate_id, job_id, found_at, source, cost)
    VALUES (%s, %s, %s, 'list', %s)
"""


class Old:
    """A database as the first version wrote it, and what it becomes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        folder.mkdir()
        shutil.copy(MIGRATIONS / "0001_initial.sql", folder)
        migrate(url, folder)
        self.sql = psycopg.connect(url, autocommit=True)
        self.connection = PostgresConnection(lambda: url)
        self.repository = PostgresJobRepository(self.connection)

    def add(
        self,
        name: str,
        at: datetime,
        status: str,
        cost: str | None = None,
        user: str = USER,
    ) -> Job:
        job = make_job(name, at, user_id=user)
        error = "PredictionFailed" if status == "failed" else None
        ended = None if status == "processing" else at + timedelta(seconds=9)
        paid = f"paid-{job.job_id}"
        self.sql.execute(_JOB, (job.job_id, user, status, cost, error, at, ended, paid))
        return job

    def orphan(self, name: str, job: Job, cost: str | None) -> None:
        self.sql.execute(_ORPHAN, (name, job.job_id, job.created_at, cost))

    def migrated(self) -> MoneyBooks:
        assert migrate(self.url)[0] == "0002_money"
        return self.books()

    def books(self) -> MoneyBooks:
        found = MoneyBooks.of_postgres(self.sql)
        assert list(found.faults()) == []
        return found

    def read(self, owner: str) -> list[tuple[int, int]]:
        """Spent and held of the day, the month and all time."""
        budgets: list[Budget] = list(PostgresBudgets(self.connection).read(owner, NOW.date()))
        return [(it.spent, it.held) for it in budgets]

    def close(self) -> None:
        self.connection.close()
        self.sql.close()


@pytest.fixture
def old(empty_postgres_url: str, tmp_path: Path) -> Iterator[Old]:
    made = Old(empty_postgres_url, tmp_path / "first")
    yield made
    made.close()


def end(job: Job, cost: str | None) -> FinishedJob:
    return FinishedJob(
        job,
        JobStatus.SUCCEEDED,
        job.created_at + timedelta(seconds=9),
        replicate_id=f"paid-{job.job_id}",
        actual_cost=None if cost is None else Decimal(cost),
    )


def test_an_empty_database_gets_empty_books(old: Old) -> None:
    assert old.migrated() == MoneyBooks({}, {}, frozenset(), frozenset(), frozenset())


def test_jobs_of_every_kind_get_their_entries_and_settle_on(old: Old) -> None:
    old.add("known", EARLIER, "succeeded", "0.004")
    old.add("free", EARLIER, "failed", "0")
    never = old.add("ended long ago, unknown", EARLIER - timedelta(days=40), "canceled")
    lately = old.add("ended lately, unknown", NOW, "failed")
    runs = old.add("runs", NOW, "processing")
    known = old.add("known today", NOW, "succeeded", "0.002")
    other = old.add("of another user", NOW, "succeeded", "0.001", user="user-2")
    old.orphan("orphan with cost", known, "0.0005")
    old.orphan("orphan without", known, None)
    old.orphan("old orphan", never, "0.0007")

    books = old.migrated()
    # Of the month: what was asked for in it. In all: what the long unknown one was estimated at, too.
    assert old.read(owner_of(USER)) == [(2000, 6000), (2000, 6000), (9000, 6000)]
    assert old.read(owner_of("user-2")) == [(1000, 0)] * 3
    assert old.read(STAGE) == [(3500, 6000), (3500, 6000), (11_200, 6000)]
    assert books.holds[never.job_id].assumed
    assert books.balances()["provider"] == 11_200

    # The running one ends, the unknown ones become known, orphans too.
    old.repository.finish_job(end(runs, "0.0031"))
    for job, cost in ((lately, "0.001"), (never, "0.002")):
        name = f"paid-{job.job_id}"
        assert old.repository.settle_prediction(job.job_id, name, Decimal(cost), None, None)
    old.repository.finish_job(end(other, "0.001"))  # the end of one that was settled is repeated
    old.books()
    assert old.read(owner_of(USER)) == [(6000, 0), (6000, 0), (12_000, 0)]
    assert old.read(STAGE)[2] == (14_300, 0)
    wanted = UsageRequest(date(2000, 1, 1), NOW.date(), ())
    (usage,) = PostgresBudgets(old.connection).usage(wanted)
    assert (usage.jobs, usage.spent, usage.held, usage.stage) == (7, 13_000, 0, 1300)


def test_jobs_of_an_earlier_month_alone(old: Old) -> None:
    """The budget is of their last day until the first job of today turns it over."""
    old.add("first", EARLIER - timedelta(days=1), "succeeded", "0.004")
    old.add("second", EARLIER, "succeeded", "0.003")
    runs = old.add("runs", EARLIER, "processing")
    books = old.migrated()
    row = books.budgets[owner_of(USER)]
    assert (row.day, row.day_spent, row.day_held) == (EARLIER.date(), 3000, 3000)
    assert old.read(owner_of(USER)) == [(0, 0), (0, 0), (7000, 3000)]
    job = make_job("new", NOW)
    old.repository.create_job(job, None)
    assert old.read(owner_of(USER)) == [(0, 3000), (0, 3000), (7000, 6000)]
    old.repository.finish_job(end(runs, "0.002"))
    old.repository.finish_job(end(job, "0.001"))
    old.books()
    assert old.read(owner_of(USER)) == [(1000, 0), (1000, 0), (10_000, 0)]


def test_an_end_that_the_first_version_writes_during_the_deployment_is_settled(old: Old) -> None:
    """It knows nothing of holds; the settlement that the new version repeats finds what it wrote."""
    runs = old.add("runs", NOW, "processing")
    old.migrated()
    late = make_job("late", NOW)
    sql = old.sql
    sql.execute(
        "UPDATE jobs SET status = 'succeeded', completed_at = now(), actual_cost = 0.002"
        " WHERE job_id = %s",
        (runs.job_id,),
    )
    old.add("late", NOW, "succeeded", "0.001")
    for job in (runs, late):
        assert old.repository.settle_prediction(job.job_id, f"paid-{job.job_id}", None, None, None)
    books = old.books()
    assert books.budgets[owner_of(USER)].spent == 3000
