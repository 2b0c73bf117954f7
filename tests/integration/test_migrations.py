"""The runner, and the proof that schema.sql is the sum of the migrations."""

import json
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from database import migrate as runner
from database.migrate import MIGRATIONS, MigrationError, Status, migrate, status
from devstack.servers import Postgres
from tests.integration.schema_objects import describe

pytestmark = pytest.mark.integration

SCHEMA = MIGRATIONS.with_name("schema.sql")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small migrations to play with."""
    copy = tmp_path / "migrations"
    copy.mkdir()
    (copy / "0001_one.sql").write_text("CREATE TABLE one (id int);")
    (copy / "0002_two.sql").write_text("CREATE TABLE two (id int); INSERT INTO two VALUES (1);")
    return copy


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in rows}


def test_the_schema_file_equals_the_migrations(empty_postgres_url: str, postgres_url: str) -> None:
    with psycopg.connect(empty_postgres_url) as connection:
        connection.execute(SCHEMA.read_bytes())
    from_file, from_migrations = describe(empty_postgres_url), describe(postgres_url)
    for kind, objects in from_migrations.items():
        assert from_file[kind] == objects, kind
    assert len(from_migrations["columns"]) > 50
    assert migrate(empty_postgres_url) == [], "a database made from the file needs no migration"
    assert status(empty_postgres_url) == status(postgres_url)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE jobs ADD COLUMN extra int",
        "ALTER TABLE jobs ALTER COLUMN attempt SET DEFAULT 1",
        "ALTER TABLE media_assets DROP CONSTRAINT media_assets_sha256_check",
        "DROP INDEX jobs_user_newest_idx",
        "DROP TRIGGER jobs_terminal_is_final ON jobs",
        "DROP VIEW model_performance",
        "ALTER FUNCTION touch_updated_at() COST 7",
    ],
)
def test_the_comparison_sees_every_kind_of_difference(postgres_url: str, change: str) -> None:
    before = describe(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(change.encode())
    assert describe(postgres_url) != before


def test_each_migration_runs_once_and_in_order(empty_postgres_url: str, folder: Path) -> None:
    assert status(empty_postgres_url, folder) == Status([], ["0001_one", "0002_two"])
    assert tables(empty_postgres_url) == set(), "status changes nothing"
    assert migrate(empty_postgres_url, folder) == ["0001_one", "0002_two"]
    assert migrate(empty_postgres_url, folder) == []
    assert status(empty_postgres_url, folder) == Status(["0001_one", "0002_two"], [])


def test_runners_at_once_wait_for_each_other(empty_postgres_url: str, folder: Path) -> None:
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda _: migrate(empty_postgres_url, folder), range(6)))
    assert sorted(label for labels in done for label in labels) == ["0001_one", "0002_two"]


def test_a_failing_migration_is_undone_and_can_be_tried_again(
    empty_postgres_url: str, folder: Path
) -> None:
    broken = folder / "0002_two.sql"
    broken.write_text("CREATE TABLE two (id int); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(MigrationError, match=r"0002_two\.sql failed and was undone.*nowhere"):
        migrate(empty_postgres_url, folder)
    assert tables(empty_postgres_url) == {"one", "schema_migrations"}
    broken.write_text("CREATE TABLE two (id int);")
    assert migrate(empty_postgres_url, folder) == ["0002_two"]


MARKED = "-- migrate: no transaction\n"
INDEX = (
    MARKED
    + "DROP INDEX CONCURRENTLY IF EXISTS two_id_idx;\n"
    + "CREATE UNIQUE INDEX CONCURRENTLY two_id_idx ON two (id);\n"
)


def until(url: str, query: str, *values: object) -> None:
    """Wait until the query has a row."""
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(query.encode(), values).fetchone() is None:
            time.sleep(0.01)


def test_who_waits_in_vain_is_told_for_whom(empty_postgres_url: str, folder: Path) -> None:
    with psycopg.connect(empty_postgres_url, application_name="another run") as other:
        other.execute("SELECT pg_advisory_lock(%s)", (runner._LOCK,))
        with pytest.raises(MigrationError, match="another run") as caught:
            migrate(empty_postgres_url, folder, wait=0.1)
        assert f"process {other.info.backend_pid}" in str(caught.value)
        assert "--wait" in str(caught.value)
        assert tables(empty_postgres_url) == set()


def test_the_command_line_waits_as_long_as_it_is_told(
    empty_postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(empty_postgres_url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (runner._LOCK,))
        assert runner.main(["up", "--wait", "0", "--url", empty_postgres_url]) == 1
    assert capsys.readouterr().err.startswith("error: Another run holds the lock")
    with pytest.raises(SystemExit):
        runner.main(["up", "--wait", "-1", "--url", empty_postgres_url])


def test_a_table_in_use_is_waited_for_and_then_left_as_it_was(
    empty_postgres_url: str, folder: Path
) -> None:
    (folder / "0003_three.sql").write_text("ALTER TABLE one ADD COLUMN more int;")
    (folder / "0002_two.sql").write_text("CREATE TABLE two (id int);")
    assert migrate(empty_postgres_url, folder)[-1] == "0003_three"
    (folder / "0004_four.sql").write_text("ALTER TABLE one ADD COLUMN even_more int;")
    with psycopg.connect(empty_postgres_url) as other:
        other.execute("LOCK TABLE one IN ACCESS SHARE MODE")
        with pytest.raises(MigrationError, match=r"0004_four\.sql.*in use.*--lock-wait"):
            migrate(empty_postgres_url, folder, lock_wait=0.1)
    assert status(empty_postgres_url, folder).pending == ["0004_four"]


def test_a_database_that_goes_away_is_an_error_in_words(
    empty_postgres_url: str, folder: Path
) -> None:
    (folder / "0002_two.sql").write_text("SELECT pg_terminate_backend(pg_backend_pid());")
    with pytest.raises(MigrationError, match=r"0002_two\.sql failed"):
        migrate(empty_postgres_url, folder)


def test_an_index_is_built_while_others_write(empty_postgres_url: str, folder: Path) -> None:
    (folder / "0003_index.sql").write_text(INDEX)
    with (
        ThreadPoolExecutor(1) as threads,
        psycopg.connect(empty_postgres_url, autocommit=True) as writer,
    ):
        migrate(empty_postgres_url, _without_last(folder))
        with writer.transaction():
            writer.execute("INSERT INTO two VALUES (2)")
            running = threads.submit(migrate, empty_postgres_url, folder)
            until(empty_postgres_url, "SELECT 1 FROM pg_stat_progress_create_index")
            # A lock on the table would keep this waiting, and the test with it.
            with psycopg.connect(empty_postgres_url, autocommit=True) as other:
                other.execute("SET lock_timeout = '5s'")
                other.execute("INSERT INTO two VALUES (3)")
        assert running.result() == ["0003_index"]
    assert _valid(empty_postgres_url) == {"two_id_idx": True}


def test_a_step_that_broke_off_is_run_again_from_its_beginning(
    empty_postgres_url: str, folder: Path
) -> None:
    (folder / "0003_index.sql").write_text(INDEX)
    migrate(empty_postgres_url, _without_last(folder))
    with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
        connection.execute("INSERT INTO two VALUES (1)")
        with pytest.raises(MigrationError, match=r"0003_index\.sql failed in step 2 of 2"):
            migrate(empty_postgres_url, folder)
        assert _valid(empty_postgres_url) == {"two_id_idx": False}, "PostgreSQL leaves it behind"
        assert status(empty_postgres_url, folder).pending == ["0003_index"]
        connection.execute("DELETE FROM two")
    assert migrate(empty_postgres_url, folder) == ["0003_index"]
    assert _valid(empty_postgres_url) == {"two_id_idx": True}
    assert migrate(empty_postgres_url, folder) == []


def test_a_runner_that_waits_does_not_hold_up_the_building_of_an_index(
    empty_postgres_url: str, folder: Path
) -> None:
    """An index is built only once every older transaction is over, and waiting in one would be one."""
    (folder / "0003_index.sql").write_text(INDEX)
    migrate(empty_postgres_url, _without_last(folder))
    with (
        ThreadPoolExecutor(2) as threads,
        psycopg.connect(empty_postgres_url, autocommit=True) as writer,
    ):
        with writer.transaction():
            writer.execute("INSERT INTO two VALUES (2)")
            first = threads.submit(migrate, empty_postgres_url, folder)
            until(empty_postgres_url, "SELECT 1 FROM pg_stat_progress_create_index")
            second = threads.submit(migrate, empty_postgres_url, folder)
            until(
                empty_postgres_url,
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE %s AND datname = current_database()"
                " AND state = 'idle'",
                "%pg_try_advisory_lock%",
            )
        assert (first.result(), second.result()) == (["0003_index"], [])


def _without_last(folder: Path) -> Path:
    """A copy of the folder as it was before its last migration."""
    before = folder.with_name("before")
    shutil.copytree(folder, before)
    max(before.glob("*.sql")).unlink()
    return before


def _valid(url: str) -> dict[str, bool]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indrelid = 'two'::regclass"
        )
        return dict(rows.fetchall())


def test_an_applied_migration_must_not_change(empty_postgres_url: str, folder: Path) -> None:
    migrate(empty_postgres_url, folder)
    path = folder / "0001_one.sql"
    path.write_bytes(path.read_bytes() + b"-- an afterthought\n")
    for command in (migrate, status):
        with pytest.raises(MigrationError, match=r"0001_one\.sql was changed after"):
            command(empty_postgres_url, folder)


def test_line_ends_of_the_checkout_do_not_matter(empty_postgres_url: str, folder: Path) -> None:
    path = folder / "0001_one.sql"
    path.write_bytes(b"CREATE TABLE one (\n  id int\n);\n")
    migrate(empty_postgres_url, folder)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(empty_postgres_url, folder) == []


def test_a_database_ahead_of_the_checkout_is_refused(empty_postgres_url: str, folder: Path) -> None:
    migrate(empty_postgres_url, folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(MigrationError, match="has migration 0002, which is not in this checkout"):
        migrate(empty_postgres_url, folder)


def test_a_skipped_migration_is_refused(empty_postgres_url: str, folder: Path) -> None:
    migrate(empty_postgres_url, folder)
    with psycopg.connect(empty_postgres_url) as connection:
        connection.execute("DELETE FROM schema_migrations WHERE version = '0001'")
    with pytest.raises(MigrationError, match=r"0001_one\.sql was skipped"):
        migrate(empty_postgres_url, folder)


def test_the_command_line(
    empty_postgres_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_postgres_url)
    assert runner.main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["applied"] == []
    assert runner.main([]) == 0
    assert "0001_initial" in capsys.readouterr().out
    assert runner.main(["up", "--json", "--url", empty_postgres_url]) == 0
    assert json.loads(capsys.readouterr().out) == {"applied": []}


def test_the_command_line_says_what_is_wrong(
    postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.main(["--url", postgres.url_of("no_such_database")]) == 1
    assert 'database "no_such_database" does not exist' in capsys.readouterr().err


def test_the_statements_of_the_readme_run(postgres_url: str) -> None:
    text = MIGRATIONS.with_name("README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 2
    with psycopg.connect(postgres_url) as connection:
        for block in blocks * 2:
            connection.execute(block.encode())


def test_the_migrations_need_no_extension(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
    assert rows == [("plpgsql",)]


def test_the_runner_works_on_the_real_files_copied_elsewhere(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    shutil.copytree(MIGRATIONS, tmp_path / "elsewhere")
    assert migrate(empty_postgres_url, tmp_path / "elsewhere") == status(empty_postgres_url).applied
