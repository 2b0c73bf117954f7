"""While traffic moves, and after a roll-back, the code before meets the schema after."""

import re

import pytest

from database.migrate import MIGRATIONS, Migration, read_migrations

# What the code before could not live with. A column goes in two releases: the first stops using it.
TAKES_AWAY = (
    r"\bDROP\s+(TABLE|COLUMN|VIEW|FUNCTION)\b",
    r"\bRENAME\b",
    r"\bSET\s+NOT\s+NULL\b",
    r"\bALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE\b",
    r"\bADD\s+COLUMN\s+\w+\s+(?=[^,;]*\bNOT\s+NULL\b)(?![^,;]*\b(DEFAULT|GENERATED)\b)",
)


def taken_away(sql: str) -> list[str]:
    text = re.sub(r"--[^\n]*", "", sql)
    return [pattern for pattern in TAKES_AWAY if re.search(pattern, text, re.IGNORECASE)]


@pytest.mark.parametrize("migration", read_migrations(MIGRATIONS), ids=lambda each: each.path.stem)
def test_a_migration_only_adds(migration: Migration) -> None:
    assert taken_away(migration.sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE jobs DROP COLUMN logs;",
        "DROP TABLE jobs;",
        "alter table jobs rename column a to b;",
        "ALTER TABLE jobs ALTER COLUMN attempt TYPE bigint;",
        "ALTER TABLE jobs ALTER COLUMN logs SET NOT NULL;",
        "ALTER TABLE jobs ADD COLUMN more text NOT NULL;",
    ],
)
def test_what_takes_away_is_seen(sql: str) -> None:
    assert len(taken_away(sql)) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE jobs ADD COLUMN more integer NOT NULL DEFAULT 0;",
        "ALTER TABLE user_limits ALTER COLUMN jobs_per_hour DROP NOT NULL;",
        "DROP INDEX jobs_created_at_idx; -- nobody may DROP TABLE",
        "CREATE TABLE more (id text NOT NULL);",
    ],
)
def test_what_adds_or_widens_passes(sql: str) -> None:
    assert taken_away(sql) == []
