"""What the runner says about a folder of migrations, before any database is asked."""

from pathlib import Path

import pytest

from database.migrate import MIGRATIONS, MigrationError, main, read_migrations


def test_the_migrations_of_this_checkout_are_in_order() -> None:
    migrations = read_migrations(MIGRATIONS)
    assert [migration.version for migration in migrations] == sorted(
        migration.version for migration in migrations
    )
    assert migrations[0].path.name == "0001_jobs.sql"


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
