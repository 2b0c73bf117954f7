"""Bring a database forward: `python -m database.migrate [up|status] [--url URL] [--json]`.

Each file `migrations/NNNN_name.sql` runs once, in order, in a transaction of its own together
with its entry in `schema_migrations`. Several runners at once wait for each other. A file that
was applied must never change: its checksum is compared on every run.
"""

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).with_name("migrations")
_FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_LOCK = 0x56534C  # one advisory lock for all runners
_CONNECT_SECONDS = 10
_LOCK_SECONDS = 30  # how long a migration may queue behind traffic before it gives up
_LEDGER = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version    text PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationError(Exception):
    """What is wrong and with which migration, for a person to read."""


@dataclass(frozen=True)
class Migration:
    version: str
    name: str
    path: Path

    @cached_property
    def sql(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, whatever the line ends of the checkout."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """Versions with their names, oldest first."""

    applied: list[str]
    pending: list[str]


def migrate(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is pending and return it as `NNNN_name`. Raises MigrationError."""
    migrations = read_migrations(folder)
    done: list[str] = []
    with _connect(url) as connection:
        while (applied := _apply_next(connection, migrations)) is not None:
            done.append(applied)
    return done


def status(url: str, folder: Path = MIGRATIONS) -> Status:
    """What is applied and what is pending; changes nothing. Raises MigrationError."""
    migrations = read_migrations(folder)
    with _connect(url) as connection:
        known = connection.execute("SELECT to_regclass('schema_migrations')").fetchone()
        ledger = _ledger(connection) if known and known[0] else {}
    pending = _pending(migrations, ledger)
    applied = migrations[: len(migrations) - len(pending)]
    return Status(
        applied=[migration.path.stem for migration in applied],
        pending=[migration.path.stem for migration in pending],
    )


def read_migrations(folder: Path) -> list[Migration]:
    """Every migration in order. Raises MigrationError on a stray file, a gap or a double."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name}: a migration is named NNNN_words_like_this.sql.")
        found.append(Migration(match["version"], match["name"], path))
    for number, migration in enumerate(found, start=1):
        if int(migration.version) != number:
            message = f"{migration.path.name}: number {number:04} is expected here."
            raise MigrationError(message)
    return found


def _connect(url: str) -> psycopg.Connection:
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except psycopg.Error as error:
        raise MigrationError(f"The database cannot be reached: {error}".strip()) from error
    connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    connection.execute("SET client_min_messages = warning")
    return connection


def _apply_next(connection: psycopg.Connection, migrations: Sequence[Migration]) -> str | None:
    """Apply the first pending migration, if there is one, under the lock."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(_LEDGER)
        pending = _pending(migrations, _ledger(connection))
        if not pending:
            return None
        migration = pending[0]
        try:
            connection.execute(migration.sql.encode())
        except psycopg.Error as error:
            message = f"{migration.path.name} failed and was undone: {error}"
            raise MigrationError(message.strip()) from error
        connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
            (migration.version, migration.name, migration.checksum),
        )
    return migration.path.stem


def _ledger(connection: psycopg.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT version, checksum FROM schema_migrations").fetchall()
    return dict(rows)


def _pending(migrations: Sequence[Migration], ledger: Mapping[str, str]) -> list[Migration]:
    """The migrations not yet in the ledger. Raises MigrationError where the two contradict."""
    unknown = sorted(set(ledger) - {migration.version for migration in migrations})
    if unknown:
        message = f"The database has migration {unknown[0]}, which is not in this checkout."
        raise MigrationError(message)
    for migration in migrations:
        if ledger.get(migration.version, migration.checksum) != migration.checksum:
            message = (
                f"{migration.path.name} was changed after it had been applied: restore it and "
                "put the change into a new migration."
            )
            raise MigrationError(message)
    pending = [migration for migration in migrations if migration.version not in ledger]
    if pending != list(migrations[len(ledger) :]):
        raise MigrationError(f"{pending[0].path.name} was skipped: later migrations are applied.")
    return pending


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m database.migrate", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["up", "status"], default="up")
    parser.add_argument("--url", help="PostgreSQL URL (default: environment DATABASE_URL)")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    options = parser.parse_args(arguments)
    url = options.url or os.environ.get("DATABASE_URL")
    if not url:
        parser.error("give --url or set DATABASE_URL")
    try:
        answer = {"applied": migrate(url)} if options.command == "up" else asdict(status(url))
    except MigrationError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(json.dumps(answer) + "\n" if options.json else _text(answer))
    return 0


def _text(answer: Mapping[str, list[str]]) -> str:
    lines = [f"{kind:8} {label}" for kind, labels in answer.items() for label in labels]
    return "\n".join(lines or ["nothing to do"]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
