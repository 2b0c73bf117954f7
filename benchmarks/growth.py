"""Does it stay fast when there is much: the poller with many jobs in flight, lists and views on
millions of rows, and the schema cut into months.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from benchmarks.measure import Result, interleaved, median, ms, progress, times
from benchmarks.stack import running
from tests.support.stack import Stack
from tests.support.template import REPOSITORY
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.postgres.job_queries import list_query
from vsl.adapters.postgres.job_repository import _STATUS
from vsl.domain.api.job_list import JobFilter
from vsl.domain.jobs.ids import new_job_id, timestamp_of

FEW, MANY = 50_000, 5_000_000
DUE = 50

FILL = """
    INSERT INTO jobs (
        job_id, user_id, media_type, model_id, parameters, status, replicate_id, timeout_seconds,
        estimated_time, estimated_cost, actual_cost, predict_time, created_at, completed_at
    )
    SELECT uuidv7(at - clock_timestamp()), 'user-' || (n * 7919) %% 5000, 'image', 'model-' || n %% 10, '{}',
        CASE WHEN n %% 20 = 0 THEN 'canceled' ELSE 'succeeded' END, NULL, 60, 5, 0.003, 0.003, 1.5,
        at, at + interval '9 s'
    FROM generate_series(1::bigint, %(rows)s) n,
        LATERAL (SELECT now() - (%(rows)s - n) * (interval '365 days' / %(rows)s)) t(at)
"""
USAGE = """
    SELECT * FROM usage_by_user_day
    WHERE user_id = 'user-77' AND day > current_date - 30
"""
PERFORMANCE = "SELECT * FROM model_performance"
PARTITION = REPOSITORY / "database" / "partition.sql"


def run(*, quick: bool = False) -> Result:
    result = Result(
        "growth",
        "Growth",
        ["what", "with", "takes", "reads", "beside the smaller"],
    )
    with running() as stack:
        _poller(stack, result, (100, 1000) if quick else (100, 10_000, 100_000))
    clients.forget()
    sizes = (5_000, 20_000) if quick else (FEW, MANY)
    with _database() as url:
        _queries(url, result, sizes)
        _partitions(url, result)
    return result


def _poller(stack: Stack, result: Result, sizes: tuple[int, ...]) -> None:
    """The due entries of the index are read, whatever else is in flight."""
    tracking = stack.tracking_store()
    client, table = stack.client("dynamodb"), str(stack.document["table"])
    now = stack.now()
    _put(client, table, DUE, now - timedelta(minutes=1))
    there, first = 0, 0.0
    for size in sizes:
        with progress(f"{size} jobs in flight"):
            _put(client, table, size - there, now + timedelta(hours=6))
        there = size
        taken = interleaved(5, {"due": lambda: tracking.due(now, 100)})["due"]
        found = len(tracking.due(now, 100))
        read = sum(
            client.query(
                TableName=table,
                IndexName="InFlightIndex",
                KeyConditionExpression="inFlightShard = :s AND nextCheckAt <= :n",
                ExpressionAttributeValues={
                    ":s": {"S": str(shard)},
                    ":n": {"N": str(tracking_item.milliseconds(now))},
                },
            )["ScannedCount"]
            for shard in range(tracking_item.SHARDS)
        )
        first = first or median(taken)
        result.row(
            f"poller: {found} due", f"{size:,} in flight", ms(median(taken)),
            f"{read} index entries, {tracking_item.SHARDS} queries", times(median(taken) / first),
        )  # fmt: skip
    result.goal(f"index entries the poller reads for {DUE} due jobs", read, DUE)
    result.notes.append(
        "The poller's time is the local engine's, which walks through the whole table for a query; DynamoDB"
        " charges and takes by the entries read, and those stay the same."
    )


def _put(client: Any, table: str, count: int, check_at: datetime) -> None:
    """Entries of the in-flight index, and no more of a job than that needs."""

    def batch(size: int) -> None:
        items = []
        for _ in range(size):
            job_id = new_job_id(datetime.now(UTC))
            items.append(
                {
                    "PutRequest": {
                        "Item": {
                            "jobId": {"S": job_id},
                            "timestamp": {"N": str(timestamp_of(job_id))},
                            "inFlightShard": {"S": tracking_item.shard(job_id)},
                            "nextCheckAt": {"N": str(tracking_item.milliseconds(check_at))},
                            "userId": {"S": "bench"},
                        }
                    }
                }
            )
        client.batch_write_item(RequestItems={table: items})

    sizes = [25] * (count // 25) + ([count % 25] if count % 25 else [])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(batch, sizes))


@contextmanager
def _database() -> Iterator[str]:
    import tempfile
    from pathlib import Path

    from database.migrate import migrate
    from devstack.servers import Postgres, free_port

    with (
        tempfile.TemporaryDirectory(prefix="vsl-growth-") as folder,
        Postgres(Path(folder) / "data", free_port()) as server,
    ):
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("CREATE DATABASE growth")
        url = server.url_of("growth")
        migrate(url)
        yield url


def _queries(url: str, result: Result, sizes: tuple[int, ...]) -> None:
    user = JobFilter(user_id="user-77")
    filters = {
        "GET /jobs of a user": list_query(user, None, 20),
        "GET /jobs of all": list_query(JobFilter(), None, 20),
        "usage of a user, 30 days": (USAGE, {}),
        "model performance, 30 days": (PERFORMANCE, {}),
    }
    before: dict[str, float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for size in sizes:
            with progress(f"{size:,} rows"):
                connection.execute("TRUNCATE jobs CASCADE")
                connection.execute(FILL.encode(), {"rows": size})
                connection.execute("VACUUM ANALYZE jobs")
            for name, (query, values) in filters.items():
                call: Callable[[], object] = lambda q=query, v=values: connection.execute(  # type: ignore[misc]  # noqa: E731
                    q.encode(), v
                ).fetchall()
                call()
                taken = median(interleaved(5, {"query": call})["query"])
                indexes = _indexes(connection, query, values)
                smaller = before.setdefault(name, taken)
                result.row(name, f"{size:,} rows", ms(taken), indexes, times(taken / smaller))
    for name in ("GET /jobs of a user", "GET /jobs of all"):
        rows = [row for row in result.rows if row[0] == name]
        result.goal(f"{name}: {sizes[-1]:,} rows beside {sizes[0]:,}",
                    float(rows[-1][4].split()[0]), 3)  # fmt: skip


def _indexes(connection: psycopg.Connection, query: str, values: Any) -> str:
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode(), values).fetchone()
    assert row is not None
    text = json.dumps(row[0])
    names = sorted(set(_all(json.loads(text), "Index Name")))
    scans = [node for node in _all(json.loads(text), "Node Type") if node == "Seq Scan"]
    return ", ".join(names + (["the whole table"] if scans else []))


def _all(node: Any, key: str) -> Iterator[str]:
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from _all(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _all(value, key)


def _partitions(url: str, result: Result) -> None:
    """The same rows cut into months, by the script and asked by the product's own queries."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT job_id FROM jobs LIMIT 1").fetchone()
        assert row is not None
        with progress("months"), connection.transaction():
            began = time.perf_counter()
            connection.execute(PARTITION.read_bytes())
            taken = time.perf_counter() - began
        result.row("cut into months", "no row moved", ms(taken), "the whole table, once", "")
        queries: dict[str, tuple[str, Any]] = {
            "status of a job": (_STATUS, (row[0],)),
            "GET /jobs of a user": list_query(JobFilter(user_id="user-77"), None, 20),
        }
        for name, (query, values) in queries.items():
            call: Callable[[], object] = lambda q=query, v=values: connection.execute(  # type: ignore[misc]  # noqa: E731
                q.encode(), v
            ).fetchall()
            call()
            taken = median(interleaved(5, {"query": call})["query"])
            plan = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode(), values).fetchone()
            assert plan is not None
            tables = sorted(set(_all(plan[0], "Relation Name")))
            result.row(f"months: {name}", "one partition a month", ms(taken), ", ".join(tables), "")
