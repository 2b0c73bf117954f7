"""The operator's figures: `services.ports.jobs.OperationsQueries` over the schema in `database/`."""

from collections.abc import Mapping
from typing import Any

from psycopg.rows import dict_row

from vsl.adapters.postgres.connection import Connection, PostgresConnection
from vsl.domain.api.operations import Figures, ModelTally, Percentiles, Tally, Window

# Phases and who woke the jobs are measured on so many: reading the marks of all jobs of a month
# would take longer than anybody waits, and would say the same.
MEASURED = 10_000
# For all statements of one answer together.
_SECONDS = 20.0

# One walk over the window's jobs for all four ways of adding them up.
_TALLIES = """
    SELECT
        grouping(model_id, hour, error_code) AS kind, model_id, media_type, hour, error_code,
        count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        count(*) FILTER (WHERE status = 'canceled') AS canceled,
        count(*) FILTER (WHERE completed_at IS NULL) AS running,
        coalesce(sum(actual_cost), 0) AS spend,
        coalesce(sum(estimated_cost), 0) AS estimated,
        percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY seconds)
            FILTER (WHERE status = 'succeeded') AS wall
    FROM (
        SELECT model_id, media_type, date_trunc('hour', created_at, 'UTC') AS hour, status,
            completed_at, actual_cost, estimated_cost,
            CASE status WHEN 'failed' THEN error_code END AS error_code,
            extract(epoch FROM completed_at - created_at)::double precision AS seconds
        FROM jobs WHERE created_at >= %(since)s AND created_at < %(until)s
    ) AS recent
    GROUP BY GROUPING SETS ((), (model_id, media_type), (hour), (error_code))
    ORDER BY spend DESC, failed DESC, succeeded DESC, model_id
"""
# What grouping() says of each: the bits of the columns that are not grouped by.
_TOTAL, _MODEL, _HOUR, _ERROR = 0b111, 0b011, 0b101, 0b110

# A phase between two clocks, the provider's and ours, is never less than nothing.
_MARKS = """
    WITH newest AS MATERIALIZED (
        SELECT job_id, status, predict_time FROM jobs
        WHERE created_at >= %(since)s AND created_at < %(until)s AND completed_at IS NOT NULL
        ORDER BY created_at DESC, job_id DESC LIMIT %(measured)s
    ), marked AS MATERIALIZED (
        SELECT status, predict_time, marks.* FROM newest, LATERAL (
            SELECT
                min(at) FILTER (WHERE name = 'submitted') AS submitted,
                min(at) FILTER (WHERE name = 'outcome_recorded') AS recorded,
                min(source) FILTER (WHERE name = 'outcome_recorded') AS source,
                min((detail ->> 'startedAt')::timestamptz)
                    FILTER (WHERE name = 'outcome_recorded') AS started,
                min((detail ->> 'completedAt')::timestamptz)
                    FILTER (WHERE name = 'outcome_recorded') AS completed,
                min(at) FILTER (WHERE name = 'storing') AS storing,
                min(at) FILTER (WHERE name = 'stored') AS stored
            FROM job_events WHERE job_events.job_id = newest.job_id
        ) AS marks
    )
    SELECT 'phase' AS kind, phase AS name, count(*) AS jobs,
        percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (
            ORDER BY greatest(extract(epoch FROM length)::double precision, 0)
        ) AS times
    FROM marked, LATERAL (VALUES
        ('queue', started - submitted),
        ('run', coalesce(make_interval(secs => predict_time), completed - started)),
        ('notify', recorded - completed),
        ('store', stored - storing)
    ) AS phases (phase, length)
    WHERE status = 'succeeded' AND length IS NOT NULL GROUP BY phase
    UNION ALL
    SELECT 'woken by', source, count(*), NULL FROM marked WHERE source IS NOT NULL GROUP BY source
    ORDER BY jobs DESC, name
"""

_ORPHANS = """
    SELECT count(*) AS predictions, coalesce(sum(cost), 0) AS cost FROM orphaned_predictions
    WHERE found_at >= %(since)s AND found_at < %(until)s
"""

_RUNNING = """
    SELECT job_id FROM jobs WHERE completed_at IS NULL ORDER BY created_at, job_id LIMIT %(running)s
"""
_RUNNING_COUNT = "SELECT count(*) AS jobs FROM jobs WHERE completed_at IS NULL"


class PostgresOperationsQueries:
    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def figures(self, window: Window, running: int) -> Figures:
        values = {
            "since": window.since,
            "until": window.until,
            "measured": MEASURED,
            "running": running,
        }
        return self._connection.run(
            lambda connection: _figures(connection, values), time_limit=_SECONDS
        )


def _figures(connection: Connection, values: Mapping[str, Any]) -> Figures:
    with connection.cursor(row_factory=dict_row) as cursor:

        def rows(query: str) -> list[dict[str, Any]]:
            return cursor.execute(query.encode(), values).fetchall()

        tallies = rows(_TALLIES)
        marks = rows(_MARKS)
        phases = {row["name"]: row["times"] for row in marks if row["kind"] == "phase"}
        (orphan,), (count,) = rows(_ORPHANS), rows(_RUNNING_COUNT)
        return Figures(
            total=next(_tally(row) for row in tallies if row["kind"] == _TOTAL),
            models=[
                ModelTally(row["model_id"], row["media_type"], _tally(row))
                for row in tallies
                if row["kind"] == _MODEL
            ],
            hours={row["hour"]: _tally(row) for row in tallies if row["kind"] == _HOUR},
            failures={
                row["error_code"]: row["failed"]
                for row in tallies
                if row["kind"] == _ERROR and row["error_code"] is not None
            },
            phases={
                name: _percentiles(phases.get(name)) for name in ("queue", "run", "notify", "store")
            },
            woken_by={row["name"]: row["jobs"] for row in marks if row["kind"] == "woken by"},
            orphaned_predictions=orphan["predictions"],
            orphaned_cost=orphan["cost"],
            running=[str(row["job_id"]) for row in rows(_RUNNING)],
            running_count=count["jobs"],
        )


def _tally(row: Mapping[str, Any]) -> Tally:
    return Tally(
        succeeded=row["succeeded"],
        failed=row["failed"],
        canceled=row["canceled"],
        running=row["running"],
        spend=row["spend"],
        estimated=row["estimated"],
        wall=_percentiles(row["wall"]),
    )


def _percentiles(values: list[float] | None) -> Percentiles | None:
    return Percentiles(*values) if values else None
