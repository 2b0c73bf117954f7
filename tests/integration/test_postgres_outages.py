"""The one connection of a process lives through everything that happens to servers."""

import os
import select
import signal
import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import errors

from database.migrate import migrate
from devstack.servers import Postgres, free_port
from tests.support.jobs import make_job
from tests.support.waiting import until
from vsl.adapters.postgres.connection import Connection, PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.api.operations import Window
from vsl.domain.errors import ConfigurationError, InternalError, StoreUnavailable
from vsl.domain.money.budgets import NO_BUDGETS
from vsl.runtime import wiring

pytestmark = pytest.mark.integration


def backend(connection: Connection) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def terminate(url: str, pid: int) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 1000)", (pid,))


def test_nothing_is_opened_before_the_first_use_and_one_connection_serves_all(
    postgres_url: str,
) -> None:
    asked: list[str] = []

    def url() -> str:
        asked.append(postgres_url)
        return postgres_url

    connection = PostgresConnection(url)
    assert asked == []
    assert len({connection.run(backend) for _ in range(5)}) == 1
    assert len(asked) == 1
    connection.close()


def test_a_connection_closed_while_idle_is_replaced_before_use(
    postgres_url: str, connection: PostgresConnection
) -> None:
    first = connection.run(backend)
    terminate(postgres_url, first)
    runs: list[int] = []

    def work(opened: Connection) -> int:
        runs.append(1)
        return backend(opened)

    assert connection.run(work) != first
    assert len(runs) == 1, "the dead connection was noticed without trying it"


def test_a_connection_that_breaks_under_work_is_replaced_once(
    postgres_url: str, connection: PostgresConnection
) -> None:
    connection.run(backend)
    pids: list[int] = []

    def work(opened: Connection) -> int:
        pids.append(backend(opened))
        if len(pids) == 1:
            terminate(postgres_url, pids[0])
        return backend(opened)

    assert connection.run(work) == pids[-1]
    assert len(set(pids)) == 2


def test_a_connection_that_breaks_every_time_is_an_outage(
    postgres_url: str, connection: PostgresConnection
) -> None:
    connection.run(backend)
    pids: list[int] = []

    def work(opened: Connection) -> int:
        pids.append(backend(opened))
        terminate(postgres_url, pids[-1])
        return backend(opened)

    with pytest.raises(StoreUnavailable, match="closed the connection"):
        connection.run(work)
    assert len(pids) == 2


def test_one_use_may_take_longer_than_others(postgres_url: str) -> None:
    """The operator's figures, over the connection that all adapters share."""
    connection = PostgresConnection(lambda: postgres_url, time_limit=0.0)
    sleep = "SELECT pg_sleep(0.05)"
    with pytest.raises(StoreUnavailable, match="within 0 s"):
        connection.run(lambda opened: opened.execute(sleep))
    connection.run(lambda opened: opened.execute(sleep), time_limit=3600.0)
    with pytest.raises(StoreUnavailable, match="within 0 s"):
        connection.run(lambda opened: opened.execute(sleep))
    connection.close()


def test_all_adapters_of_a_process_share_one_connection(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories = (
        wiring.postgres,
        wiring.job_repository,
        wiring.job_queries,
        wiring.erasure,
        wiring.operations,
        wiring.callback_log,
        wiring.budgets,
    )
    secrets = SimpleNamespace(secret={"database-url": lambda: postgres_url}.__getitem__)
    monkeypatch.setattr(wiring, "parameters", lambda: secrets)
    monkeypatch.setattr(wiring, "settings", lambda: SimpleNamespace(budgets=NO_BUDGETS))
    for factory in factories:
        factory.cache_clear()
    job = make_job()
    assert wiring.job_repository().create_job(job, None).new
    assert wiring.job_queries().record(job.job_id) is not None
    assert wiring.erasure().erased(job.job_id) is None
    window = Window(job.created_at, job.created_at + timedelta(hours=1))
    assert wiring.operations().figures(window, 10).running_count == 1
    assert wiring.callback_log().target(job.job_id) is not None
    others = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(postgres_url) as observer:
        assert observer.execute(others).fetchone() == (1,)
    wiring.postgres().close()
    for factory in factories:
        factory.cache_clear()


def test_a_statement_that_takes_too_long_is_cut_and_not_repeated(postgres_url: str) -> None:
    connection = PostgresConnection(lambda: postgres_url, time_limit=0.2)
    runs: list[int] = []

    def work(opened: Connection) -> None:
        runs.append(1)
        opened.execute("SELECT pg_sleep(3600)")

    connection.run(backend)
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.2 s"):
        connection.run(work)
    assert len(runs) == 1
    assert connection.run(backend) > 0
    connection.close()


def test_nothing_stays_on_the_server_between_uses(connection: PostgresConnection) -> None:
    repository = PostgresJobRepository(connection)
    for number in range(8):
        repository.create_job(make_job(f"job-{number}"), None)
        repository.status(make_job().job_id)
    query = "SELECT (SELECT count(*) FROM pg_prepared_statements), count(*) FROM pg_settings"
    query += " WHERE source = 'session'"
    row = connection.run(lambda opened: opened.execute(query.encode()).fetchone())
    assert row == (0, 0)


def test_a_server_that_is_not_there_is_an_outage_and_then_left_alone() -> None:
    port = free_port()
    connection = PostgresConnection(lambda: f"postgresql://vsl:secret@127.0.0.1:{port}/vsl")
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        connection.run(backend)
    assert "secret" not in str(caught.value)
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(0.1)
        with pytest.raises(StoreUnavailable, match="a moment ago"):
            connection.run(backend)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_url_that_is_none_is_named_without_its_secret() -> None:
    connection = PostgresConnection(lambda: "mysql://user:secret@somewhere/db")
    with pytest.raises(ConfigurationError, match="not a PostgreSQL URL") as caught:
        connection.run(backend)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_database_without_tables_says_what_to_do(empty_postgres_url: str) -> None:
    connection = PostgresConnection(lambda: empty_postgres_url)
    with pytest.raises(ConfigurationError, match=r"python -m database\.migrate"):
        PostgresJobRepository(connection).create_job(make_job(), None)
    connection.close()


def test_a_faulty_statement_is_ours_and_leaves_the_connection_usable(
    connection: PostgresConnection,
) -> None:
    first = connection.run(backend)
    with pytest.raises(InternalError, match="division by zero") as caught:
        connection.run(lambda opened: opened.execute("SELECT 1 / 0"))
    assert isinstance(caught.value.__cause__, errors.DivisionByZero)
    assert connection.run(backend) == first


def test_a_killed_server_loses_no_job_and_the_adapter_finds_it_again(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "data", free_port())
    server.start()
    migrate(server.url)
    connection = PostgresConnection(lambda: server.url)
    repository = PostgresJobRepository(connection)
    try:
        repository.create_job(make_job("before"), None)
        serving = os.pidfd_open(connection.run(backend))
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        # Its processes outlive it until they notice, and answer so long.
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(serving, signal.SIGKILL)
        select.select([serving], [], [])
        os.close(serving)
        with pytest.raises(StoreUnavailable):
            repository.create_job(make_job("during"), None)
        server.start()
        time.sleep(1.1)  # the rest after a failed connect
        repository.create_job(make_job("after"), None)
        assert repository.status(make_job("before").job_id) is not None
        assert repository.status(make_job("during").job_id) is None
        server.stop()
        server.start()
        assert repository.status(make_job("after").job_id) is not None, "no failure to be seen"
    finally:
        connection.close()
        server.stop()


def test_a_server_starts_again_while_processes_of_the_killed_one_are_still_there(
    tmp_path: Path,
) -> None:
    server = Postgres(tmp_path / "data", free_port())
    server.start()
    connection = PostgresConnection(lambda: server.url)
    left = os.pidfd_open(connection.run(backend))
    again = threading.Thread(target=server.start)
    try:
        signal.pidfd_send_signal(left, signal.SIGSTOP)  # it does not notice
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        again.start()
        until(lambda: b"pre-existing shared memory" in server.log.read_bytes())
        assert again.is_alive()
        signal.pidfd_send_signal(left, signal.SIGCONT)
        again.join(60)
        with psycopg.connect(server.url) as fresh:
            assert fresh.execute("SELECT 1").fetchone() == (1,)
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(left, signal.SIGKILL)
        os.close(left)
        again.join(60)
        connection.close()
        server.stop()
