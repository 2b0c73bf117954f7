"""Each query the product makes finds its rows through an index, on a table worth indexing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from vsl.adapters.postgres import job_queries, operations_queries
from vsl.adapters.postgres import job_repository as adapter
from vsl.adapters.postgres.job_queries import list_query
from vsl.domain.api.job_list import JobFilter, Position
from vsl.domain.jobs.job import JobStatus, MediaType

pytestmark = pytest.mark.integration

FILL = """
    INSERT INTO jobs (
        job_id, user_id, media_type, model_id, parameters, status, replicate_id, timeout_seconds,
        estimated_time, estimated_cost, created_at, completed_at
    )
    SELECT gen_random_uuid(), 'user-' || n % 400, 'image', 'model-' || n % 7, '{}', 'succeeded',
        'rep-' || n, 60, 5, 0.003, at, at + interval '9 s'
    FROM generate_series(1, 20000) n, LATERAL (SELECT now() - (20000 - n) * interval '26 min') t(at);
    INSERT INTO holds (
        job_id, user_id, model_id, estimate, amount, prepaid, user_day, stage_day, held_at, settled_at
    )
    SELECT job_id, user_id, model_id, 3000, 3000, false, created_at, created_at, created_at, completed_at
    FROM jobs;
    INSERT INTO media_assets (job_id, index, s3_key, content_type, file_size, sha256)
    SELECT job_id, 0, 'media/' || job_id, 'image/png', 1, repeat('0', 64) FROM jobs;
    INSERT INTO webhook_events
    SELECT job_id, 'msg', replicate_id, 'succeeded', created_at FROM jobs;
    INSERT INTO job_events SELECT job_id, 'outcome_recorded', created_at, 'webhook' FROM jobs;
    INSERT INTO orphaned_predictions
    SELECT 'orphan-' || replicate_id, job_id, created_at, 'poller' FROM jobs;
    INSERT INTO ledger (subject, movement, job_id, from_account, to_account, amount)
    SELECT job_id, 'hold', job_id, 'invoice:' || user_id, 'held:' || user_id, 3000 FROM jobs;
"""

SOME_JOB = "SELECT job_id, created_at FROM jobs WHERE user_id = 'user-7' LIMIT 1"


@pytest.fixture(scope="module")
def filled(postgres: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE plans TEMPLATE vsl_template STRATEGY file_copy")
        with psycopg.connect(postgres.url_of("plans"), autocommit=True) as connection:
            connection.execute(FILL.encode())
            connection.execute("VACUUM ANALYZE")  # or no index counts as enough by itself
            yield connection
        admin.execute("DROP DATABASE plans WITH (FORCE)")


def scans(connection: psycopg.Connection, query: str, arguments: Any = ()) -> set[str]:
    """The indexes of a query's plan, `Seq Scan on x` for each table read in full, and `Sort`."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode(), arguments).fetchone()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    found: set[str] = set()
    nodes = [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes.extend(node.get("Plans", []))
        if "Index Name" in node:
            found.add(node["Index Name"])
        elif node["Node Type"] == "Seq Scan":
            found.add(f"Seq Scan on {node['Relation Name']}")
        elif node["Node Type"] == "Sort":
            found.add("Sort")
    return found


def test_status_by_id(filled: psycopg.Connection) -> None:
    job = filled.execute(SOME_JOB).fetchone()
    assert job is not None
    found = scans(filled, adapter._STATUS, (job[0],))
    assert found == {"jobs_pkey", "media_assets_pkey", "holds_pkey"}


def test_jobs_of_the_last_hour(filled: psycopg.Connection) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    found = scans(filled, adapter._RECENT_JOBS, ("user-7", an_hour_ago))
    assert found - {"Sort"} == {"jobs_user_newest_idx"}


@pytest.mark.parametrize(
    ("user", "index"), [("user-7", "jobs_user_newest_idx"), (None, "jobs_newest_idx")]
)
@pytest.mark.parametrize("later_page", [False, True])
@pytest.mark.parametrize("filtered", [False, True])
def test_jobs_newest_first(
    filled: psycopg.Connection, user: str | None, index: str, later_page: bool, filtered: bool
) -> None:
    job = filled.execute(SOME_JOB).fetchone()
    assert job is not None
    wanted = JobFilter(user_id=user)
    if filtered:
        wanted = JobFilter(
            user,
            JobStatus.SUCCEEDED,
            MediaType.IMAGE,
            "model-3",
            created_after=datetime.now(UTC) - timedelta(days=90),
            created_before=datetime.now(UTC),
        )
    after = Position(job[1], str(job[0])) if later_page else None
    query, values = list_query(wanted, after, 20)
    # One user's few jobs may be sorted; everybody's must come in their order.
    few = {"Sort"} if user else set()
    assert scans(filled, query, values) - few == {index, "media_assets_pkey", "holds_pkey"}


def test_the_record_of_a_job(filled: psycopg.Connection) -> None:
    job = filled.execute(SOME_JOB).fetchone()
    assert job is not None
    found = scans(filled, job_queries._RECORD, (job[0],))
    assert found - {"Sort"} == {
        "jobs_pkey", "job_events_pkey", "webhook_events_pkey", "holds_pkey", "ledger_job_id_idx",
    }  # fmt: skip


def test_the_operators_questions(filled: psycopg.Connection) -> None:
    values = {
        "since": datetime.now(UTC) - timedelta(days=3),
        "until": datetime.now(UTC),
        "measured": operations_queries.MEASURED,
        "running": 1000,
    }
    expected = {
        operations_queries._TALLIES: {"jobs_newest_idx"},
        operations_queries._MARKS: {"jobs_newest_idx", "job_events_pkey"},
        operations_queries._ORPHANS: {"orphaned_predictions_found_at_idx"},
        operations_queries._RUNNING: {"jobs_running_idx"},
        operations_queries._RUNNING_COUNT: {"jobs_running_idx"},
    }
    for query, indexes in expected.items():
        assert scans(filled, query, values) - {"Sort"} == indexes


def test_usage_of_a_user(filled: psycopg.Connection) -> None:
    query = "SELECT * FROM usage_by_user_day WHERE user_id = 'user-7'"
    assert scans(filled, query) - {"Sort"} == {"jobs_user_newest_idx"}


def test_model_performance(filled: psycopg.Connection) -> None:
    """In the index's own order: nothing is sorted."""
    assert scans(filled, "SELECT * FROM model_performance") == {"jobs_performance_idx"}


@pytest.mark.parametrize(
    ("table", "index"),
    [("jobs", "jobs_replicate_id_idx"), ("webhook_events", "webhook_events_replicate_id_idx")],
)
def test_look_up_by_prediction(filled: psycopg.Connection, table: str, index: str) -> None:
    query = f"SELECT job_id FROM {table} WHERE replicate_id = 'rep-77'"
    assert scans(filled, query) == {index}


def test_the_plan_reader_sees_a_table_read_in_full(filled: psycopg.Connection) -> None:
    assert scans(filled, "SELECT * FROM jobs WHERE error_message = 'x'") == {"Seq Scan on jobs"}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (JobFilter(metadata=(("order", "17"),)), "jobs_metadata_idx"),
        (JobFilter(words="lighthouse dusk"), "jobs_prompt_idx"),
    ],
)
def test_a_search_has_an_index(filled: psycopg.Connection, wanted: JobFilter, index: str) -> None:
    query, values = list_query(wanted, None, 20)
    assert index in scans(filled, query, values)
