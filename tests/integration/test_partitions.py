"""`database/partition.sql` on a database in use: nothing is lost, the product's own code goes on."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from database import migrate
from tests.integration.catalog import describe
from tests.support.jobs import make_job
from vsl.adapters import postgres as adapter
from vsl.adapters import postgres_history
from vsl.adapters.postgres import PostgresAccounting
from vsl.adapters.postgres_history import PostgresHistory, list_query
from vsl.domain.job import FinishedJob, Job, JobEvent, JobStatus, MediaAsset
from vsl.domain.job_list import JobFilter

pytestmark = pytest.mark.integration

SCRIPT = Path(migrate.__file__).with_name("partition.sql")
NOW = datetime.now(UTC).replace(microsecond=0)
NEXT_MONTH = (NOW.replace(day=1) + timedelta(days=40)).replace(day=3)
MONTH = f"jobs_{NEXT_MONTH:%Y_%m}"


@pytest.fixture
def before(postgres_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """The catalogs as the migrations leave them, with one ended job in the database."""
    accounting = PostgresAccounting(lambda: postgres_url)
    accounting.finish_job(ended(OLD))
    accounting.close()
    return describe(postgres_url)


@pytest.fixture
def cut(postgres_url: str, before: object) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        with connection.transaction():
            connection.execute(SCRIPT.read_bytes())
        yield connection


def job_at(at: datetime) -> Job:
    return make_job("job", at)


def ended(job: Job) -> FinishedJob:
    asset = MediaAsset(0, f"media/{job.job_id}/0.png", "image/png", 7, "0" * 64)
    return FinishedJob(
        job=job,
        status=JobStatus.SUCCEEDED,
        completed_at=job.created_at + timedelta(seconds=9),
        replicate_id=f"rep-{job.job_id}",
        attempt=1,
        assets=(asset,),
        events=(JobEvent("created", job.created_at),),
        actual_cost=Decimal("0.003"),
    )


OLD = job_at(NOW - timedelta(days=1))


def partitions(connection: psycopg.Connection, query: str, values: Any) -> set[str]:
    """The tables a query's plan touches, of those that hold jobs."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode(), values).fetchone()
    assert row is not None
    text = json.dumps(row[0])
    return {name for name in ("jobs_before", MONTH) if f'"Relation Name": "{name}"' in text}


def test_columns_checks_keys_triggers_and_views_are_the_same(
    postgres_url: str, before: dict[str, list[tuple[Any, ...]]], cut: psycopg.Connection
) -> None:
    after = describe(postgres_url)
    for kind in ("columns", "constraints", "indexes", "views", "triggers"):
        missing = {_plain(one) for one in before[kind]} - {_plain(one) for one in after[kind]}
        # That a prediction belongs to one job is an index of each month now.
        assert all("jobs_replicate_id_idx" in one for one in missing), (kind, missing)


def _plain(definition: tuple[Any, ...]) -> str:
    """Without the parentheses that PostgreSQL adds each time it reads its own words."""
    return re.sub(r"[()]", "", str(definition)).replace(" ON ONLY ", " ON ")


def test_a_job_of_either_month_runs_through_the_products_own_code(
    postgres_url: str, cut: psycopg.Connection
) -> None:
    accounting, history = (
        PostgresAccounting(lambda: postgres_url),
        PostgresHistory(lambda: postgres_url),
    )
    new = job_at(NEXT_MONTH)
    try:
        for job in (OLD, new):
            for _ in range(2):
                accounting.create_job(job, None)
                assert accounting.finish_job(ended(job)) is not None
            status = accounting.status(job.job_id)
            assert status is not None
            assert status["status"] == "succeeded"
        listed = history.list_jobs(JobFilter(user_id=OLD.user_id), None, 10)
        assert [entry.position.job_id for entry in listed] == [new.job_id, OLD.job_id]
        history.erase(OLD.job_id, NOW)
        assert history.record(OLD.job_id) is None
        assert history.record(new.job_id) is not None
    finally:
        history.close()
    found = cut.execute("SELECT tableoid::regclass::text, job_id::text FROM jobs").fetchall()
    assert sorted(found) == [(MONTH, new.job_id), ("jobs_before", OLD.job_id)]
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        cut.execute("UPDATE jobs SET status = 'pending', completed_at = NULL")
    other = job_at(NEXT_MONTH + timedelta(days=1))
    accounting.create_job(other, None)
    with pytest.raises(psycopg.errors.UniqueViolation):
        cut.execute(
            "UPDATE jobs SET replicate_id = %s WHERE job_id = %s",
            (f"rep-{new.job_id}", other.job_id),
        )
    accounting.close()


def test_what_names_a_job_touches_one_month_and_a_list_each_ones_index(
    cut: psycopg.Connection,
) -> None:
    new = job_at(NEXT_MONTH).job_id
    for query in (adapter._STATUS, postgres_history._RECORD, postgres_history._PARAMETERS):
        assert partitions(cut, query, (new,)) == {MONTH}
        assert partitions(cut, query, (OLD.job_id,)) == {"jobs_before"}
    query, values = list_query(JobFilter(user_id="user-1"), None, 20)
    assert partitions(cut, query, values) == {"jobs_before", MONTH}


def test_a_job_of_a_month_that_was_not_added_is_kept(
    postgres_url: str, cut: psycopg.Connection
) -> None:
    late = job_at(NEXT_MONTH + timedelta(days=60))
    accounting = PostgresAccounting(lambda: postgres_url)
    try:
        assert accounting.create_job(late, None)
    finally:
        accounting.close()
    found = cut.execute("SELECT job_id::text FROM jobs_beyond").fetchall()
    assert found == [(late.job_id,)]


def test_a_month_goes_with_all_that_is_below_it(cut: psycopg.Connection) -> None:
    cut.execute("DELETE FROM jobs_before")
    cut.execute("ALTER TABLE jobs DETACH PARTITION jobs_before")
    cut.execute("DROP TABLE jobs_before")
    assert cut.execute("SELECT count(*) FROM media_assets").fetchone() == (0,)
