"""What the runner says about a folder of migrations, before any database is asked."""

from pathlib import Path

import pytest

from database.migrate import MIGRATIONS, MigrationError, main, read_migrations
from database.statements import MARKER, outside_transaction, statements


def test_the_migrations_of_this_checkout_are_in_order() -> None:
    migrations = read_migrations(MIGRATIONS)
    assert [migration.version for migration in migrations] == sorted(
        migration.version for migration in migrations
    )
    assert migrations[0].path.name == "0001_initial.sql"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_a.sql", "0003_c.sql"], r"0003_c\.sql: number 0002 is expected"),
        (["0001_a.sql", "0001_b.sql"], r"0001_b\.sql: number 0002 is expected"),
        (["0002_a.sql"], r"0002_a\.sql: number 0001 is expected"),
        (["0001_a.sql", "notes.sql"], r"notes\.sql: a migration is named"),
        (["1_a.sql"], r"1_a\.sql: a migration is named"),
    ],
)
def test_a_gap_a_double_or_a_stray_file_is_named(
    tmp_path: Path, names: list[str], message: str
) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=message):
        read_migrations(tmp_path)


def test_the_command_line_asks_for_a_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit) as caught:
        main(["status"])
    assert caught.value.code == 2
    assert "give --url or set DATABASE_URL" in capsys.readouterr().err


def test_statements_end_at_semicolons_that_are_no_text() -> None:
    sql = f"""{MARKER}
-- a comment; with a semicolon
DROP INDEX CONCURRENTLY IF EXISTS "odd;name"; /* and; another */
CREATE INDEX CONCURRENTLY i ON t ((body || ';' || E'\\';' || $tag$ ; $tag$ || $$;$$));
ANALYZE t
"""
    assert outside_transaction(sql)
    assert [each.split("\n")[-1].split(" ")[0] for each in statements(sql)] == [
        "DROP",
        "CREATE",
        "ANALYZE",
    ]
    assert statements("-- nothing; but words\n;;") == []
    assert not outside_transaction("CREATE TABLE one (id int);\n" + MARKER)


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("CREATE TABLE one (id int);", "'CREATE TABLE one.* is not safe to repeat"),
        ("INSERT INTO one VALUES (1)", "'INSERT INTO one.* is not safe to repeat"),
        (
            "CREATE INDEX CONCURRENTLY one_idx ON one (id);",
            "one_idx must be dropped before it is built: DROP INDEX CONCURRENTLY IF EXISTS one_idx;",
        ),
    ],
)
def test_a_step_outside_a_transaction_must_be_safe_to_repeat(
    tmp_path: Path, sql: str, fault: str
) -> None:
    (tmp_path / "0001_index.sql").write_text(f"{MARKER}\n{sql}")
    with pytest.raises(MigrationError, match=rf"0001_index\.sql: {fault}"):
        read_migrations(tmp_path)


def test_an_index_is_dropped_and_built_outside_a_transaction(tmp_path: Path) -> None:
    (tmp_path / "0001_index.sql").write_text(
        f"{MARKER}\nDROP INDEX CONCURRENTLY IF EXISTS one_idx;\n"
        "CREATE UNIQUE INDEX CONCURRENTLY one_idx ON one (id);\nANALYZE one;\n"
    )
    (migration,) = read_migrations(tmp_path)
    assert outside_transaction(migration.sql)
