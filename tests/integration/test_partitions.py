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
from tests.integration.schema_objects import describe
from tests.support.jobs import make_job
from vsl.adapters.postgres import job_queries
from vsl.adapters.postgres import job_repository as adapter
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.erasure import PostgresErasure
from vsl.adapters.postgres.job_queries import PostgresJobQueries, list_query
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.api.job_list import JobFilter
from vsl.domain.jobs.job import FinishedJob, Job, JobEvent, JobStatus, MediaAsset

pytestmark = pytest.mark.integration

SCRIPT = Path(migrate.__file__).with_name("partition.sql")
NOW = datetime.now(UTC).replace(microsecond=0)
NEXT_MONTH = (NOW.replace(day=1) + timedelta(days=40)).replace(day=3)
MONTH = f"jobs_{NEXT_MONTH:%Y_%m}"


@pytest.fixture
def before(postgres_url: str, connection: PostgresConnection) -> dict[str, list[tuple[Any, ...]]]:
    """The catalogs as the migrations leave them, with one ended job in the database."""
    PostgresJobRepository(connection).finish_job(ended(OLD))
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
    connection: PostgresConnection, cut: psycopg.Connection
) -> None:
    repository, history = PostgresJobRepository(connection), PostgresJobQueries(connection)
    new = job_at(NEXT_MONTH)
    for job in (OLD, new):
        for _ in range(2):
            repository.create_job(job, None)
            assert repository.finish_job(ended(job)) is not None
        status = repository.status(job.job_id)
        assert status is not None
        assert status["status"] == "succeeded"
    listed = history.list_jobs(JobFilter(user_id=OLD.user_id), None, 10)
    assert [entry.position.job_id for entry in listed] == [new.job_id, OLD.job_id]
    PostgresErasure(connection).erase(OLD.job_id, NOW)
    assert history.record(OLD.job_id) is None
    assert history.record(new.job_id) is not None
    found = cut.execute("SELECT tableoid::regclass::text, job_id::text FROM jobs").fetchall()
    assert sorted(found) == [(MONTH, new.job_id), ("jobs_before", OLD.job_id)]
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        cut.execute("UPDATE jobs SET status = 'pending', completed_at = NULL")
    other = job_at(NEXT_MONTH + timedelta(days=1))
    repository.create_job(other, None)
    with pytest.raises(psycopg.errors.UniqueViolation):
        cut.execute(
            "UPDATE jobs SET replicate_id = %s WHERE job_id = %s",
            (f"rep-{new.job_id}", other.job_id),
        )


def test_what_names_a_job_touches_one_month_and_a_list_each_ones_index(
    cut: psycopg.Connection,
) -> None:
    new = job_at(NEXT_MONTH).job_id
    for query in (adapter._STATUS, job_queries._RECORD, adapter._PARAMETERS):
        assert partitions(cut, query, (new,)) == {MONTH}
        assert partitions(cut, query, (OLD.job_id,)) == {"jobs_before"}
    query, values = list_query(JobFilter(user_id="user-1"), None, 20)
    assert partitions(cut, query, values) == {"jobs_before", MONTH}


def test_a_job_of_a_month_that_was_not_added_is_kept(
    connection: PostgresConnection, cut: psycopg.Connection
) -> None:
    late = job_at(NEXT_MONTH + timedelta(days=60))
    assert PostgresJobRepository(connection).create_job(late, None)
    found = cut.execute("SELECT job_id::text FROM jobs_beyond").fetchall()
    assert found == [(late.job_id,)]


def test_a_month_goes_with_all_that_is_below_it(cut: psycopg.Connection) -> None:
    cut.execute("DELETE FROM jobs_before")
    cut.execute("ALTER TABLE jobs DETACH PARTITION jobs_before")
    cut.execute("DROP TABLE jobs_before")
    assert cut.execute("SELECT count(*) FROM media_assets").fetchone() == (0,)


SETTING = """
    CREATE ROLE keeper; CREATE ROLE reader; CREATE ROLE writer; CREATE SCHEMA other;
    GRANT ALL ON SCHEMA public TO keeper;
    ALTER TABLE jobs OWNER TO keeper; ALTER VIEW usage_by_user_day OWNER TO keeper;
    GRANT SELECT ON jobs TO reader WITH GRANT OPTION;
    GRANT SELECT, INSERT, UPDATE ON jobs TO writer;
    REVOKE DELETE ON jobs FROM keeper;
    GRANT REFERENCES (job_id), UPDATE (logs) ON jobs TO reader;
    GRANT SELECT ON usage_by_user_day, model_performance TO reader;
    GRANT SELECT (model_id) ON model_performance TO PUBLIC;
    COMMENT ON TABLE jobs IS 'what users asked for'; COMMENT ON COLUMN jobs.logs IS 'its tail';
    COMMENT ON VIEW model_performance IS 'thirty days';
    CREATE TABLE other.jobs (id int PRIMARY KEY, user_id text);
    CREATE INDEX jobs_user_newest_idx ON other.jobs (user_id);
    CREATE VIEW other.failed WITH (security_barrier = true) AS
        SELECT job_id, error_code AS why FROM public.jobs WHERE status = 'failed';
    CREATE VIEW other.reasons AS SELECT why, count(*) AS jobs FROM other.failed GROUP BY why;
    GRANT SELECT ON other.reasons TO reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public, other GRANT TRUNCATE ON TABLES TO writer;
"""
RIGHTS = """
    SELECT relname, relowner::regrole::text, grantor::regrole::text, grantee::regrole::text,
        privilege_type, is_grantable, NULL AS column
    FROM pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))
    WHERE relname IN ('jobs', 'usage_by_user_day', 'model_performance', 'failed', 'reasons')
    UNION ALL
    SELECT relname, relowner::regrole::text, grantor::regrole::text, grantee::regrole::text,
        privilege_type, is_grantable, attname
    FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid, aclexplode(attacl)
    WHERE relname IN ('jobs', 'model_performance')
"""
WORDS = """
    SELECT relname, objsubid, description, reloptions FROM pg_class
    LEFT JOIN pg_description ON objoid = pg_class.oid AND classoid = 'pg_class'::regclass
    WHERE relname IN ('jobs', 'usage_by_user_day', 'model_performance', 'failed', 'reasons')
"""
OTHERS = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'other'"


@pytest.fixture
def lived_in(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A database with roles, grants, comments, views and a second schema of an operator's."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SETTING)
        yield connection
        connection.execute("DROP OWNED BY keeper, reader, writer CASCADE")
        connection.execute("DROP ROLE keeper, reader, writer")


def test_rights_owners_comments_and_every_view_are_kept(
    lived_in: psycopg.Connection, before: object
) -> None:
    def all_of(query: str) -> list[Any]:
        return sorted(lived_in.execute(query.encode()).fetchall(), key=str)

    kept = {query: all_of(query) for query in (RIGHTS, WORDS, OTHERS)}
    assert len(kept[RIGHTS]) > 15
    with lived_in.transaction():
        lived_in.execute(SCRIPT.read_bytes())
    for query, expected in kept.items():
        assert all_of(query) == expected
    # Through the views, the months behind the first are seen as well.
    lived_in.execute(
        "INSERT INTO jobs (job_id, user_id, media_type, model_id, parameters, status, error_code,"
        " timeout_seconds, estimated_time, estimated_cost, created_at, completed_at)"
        " VALUES (%s, 'u', 'image', 'm', '{}', 'failed', 'PredictionFailed', 9, 1, 1, now(), now())",
        (job_at(NEXT_MONTH).job_id,),
    )
    assert lived_in.execute("SELECT * FROM other.reasons").fetchall() == [("PredictionFailed", 1)]
    lived_in.execute("SET ROLE writer")
    assert lived_in.execute("SELECT count(*) FROM jobs").fetchone() == (2,)
    lived_in.execute("RESET ROLE")
    (owners,) = zip(
        *lived_in.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_inherits"
            " JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'jobs'::regclass"
        ).fetchall(),
        strict=True,
    )
    assert owners == ("keeper",)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (
            "CREATE MATERIALIZED VIEW frozen AS SELECT count(*) FROM jobs",
            "materialized view frozen",
        ),
        ("CREATE POLICY mine ON jobs USING (true)", "policy mine on table jobs"),
        ("CREATE STATISTICS pairs ON user_id, model_id FROM jobs", "statistics object"),
    ],
)
def test_what_cannot_be_taken_along_is_named_and_nothing_is_changed(
    postgres_url: str, before: dict[str, list[tuple[Any, ...]]], more: str, named: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(more.encode())
        changed = describe(postgres_url)
        with pytest.raises(psycopg.Error, match=named), connection.transaction():
            connection.execute(SCRIPT.read_bytes())
    assert describe(postgres_url) == changed
