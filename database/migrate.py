"""Bring a database forward: `python -m database.migrate [up|status] [--url URL] [--wait SECONDS]`.

Each file `migrations/NNNN_name.sql` runs once, in order, in a transaction of its own together
with its entry in `schema_migrations`; a file marked as `database.statements` says runs outside of
one, statement by statement. Several runners at once wait for each other. A file that was applied
must never change: its checksum is compared on every run.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import psycopg

from database.statements import faults, outside_transaction, statements

MIGRATIONS = Path(__file__).with_name("migrations")
_FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_LOCK = 0x56534C  # one advisory lock for all runners
_CONNECT_SECONDS = 10
MAX_SECONDS = 86_400
WAIT_SECONDS = 30.0  # how long to wait for another runner
LOCK_WAIT_SECONDS = 30.0  # how long a migration may queue behind traffic before it gives up
_LOOK_SECONDS = 0.2
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


def migrate(
    url: str,
    folder: Path = MIGRATIONS,
    *,
    wait: float = WAIT_SECONDS,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> list[str]:
    """Apply what is pending and return it as `NNNN_name`. Raises MigrationError.

    `wait` is how many seconds to wait for another runner, `lock_wait` for a table in use.
    """
    migrations = read_migrations(folder)
    done: list[str] = []
    with _connect(url) as connection, _only_runner(connection, wait):
        connection.execute(_LEDGER)
        for migration in _pending(migrations, _ledger(connection)):
            _apply(connection, migration, lock_wait)
            done.append(migration.path.stem)
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
    """Every migration in order. Raises MigrationError on a file of another name, a gap, a double, and a step
    outside of a transaction that could not be repeated."""
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
        for fault in faults(migration.sql) if outside_transaction(migration.sql) else ():
            raise MigrationError(f"{migration.path.name}: {fault}")
    return found


@contextmanager
def _connect(url: str) -> Iterator[psycopg.Connection]:
    """Whatever PostgreSQL says beyond this leaves as a MigrationError."""
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except psycopg.Error as error:
        raise MigrationError(f"The database cannot be reached: {error}".strip()) from error
    with connection:
        try:
            connection.execute("SET client_min_messages = warning")
            yield connection
        except psycopg.Error as error:
            raise MigrationError(f"PostgreSQL refused: {error}".strip()) from error


@contextmanager
def _only_runner(connection: psycopg.Connection, wait: float) -> Iterator[None]:
    """Hold the advisory lock of all runners, for the session: some steps allow no transaction.

    It is asked for again and again, and not waited for inside a statement: an index that is built
    concurrently waits for every older statement, and so would wait for this one in turn.
    """
    until = time.monotonic() + wait
    while not _locked(connection):
        if time.monotonic() >= until:
            raise MigrationError(
                f"Another run holds the lock for migrations{_holder(connection)}. It was waited for"
                f" {wait:g} s; wait longer with --wait SECONDS, or end that run."
            )
        time.sleep(min(_LOOK_SECONDS, wait))
    try:
        yield
    finally:
        with suppress(psycopg.Error):  # a connection that broke has let go of it already
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _locked(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    return bool(row and row[0])


def _holder(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "SELECT pid, application_name, client_addr::text FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND objid = %s AND granted AND datname = current_database()",
        (_LOCK,),
    ).fetchone()
    if row is None:
        return ""
    pid, name, address = row
    told = [f"process {pid}", name, address and f"from {address}"]
    return f" ({', '.join(each for each in told if each)})"


def _apply(connection: psycopg.Connection, migration: Migration, lock_wait: float) -> None:
    if outside_transaction(migration.sql):
        _apply_in_steps(connection, migration)
        _enter(connection, migration)
        return
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = {round(lock_wait * 1000)}".encode())
            connection.execute(migration.sql.encode())
            _enter(connection, migration)
    except psycopg.errors.LockNotAvailable as error:
        message = (
            f"{migration.path.name} was undone: a table it changes is in use, and was waited for"
            f" {lock_wait:g} s. Try again when there is less traffic, or with --lock-wait SECONDS."
        )
        raise MigrationError(message) from error
    except psycopg.Error as error:
        message = f"{migration.path.name} failed and was undone: {error}"
        raise MigrationError(message.strip()) from error


def _apply_in_steps(connection: psycopg.Connection, migration: Migration) -> None:
    """Each statement by itself; no limit on waiting, for these block no other statement."""
    steps = statements(migration.sql)
    for number, statement in enumerate(steps, start=1):
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            message = (
                f"{migration.path.name} failed in step {number} of {len(steps)}: {str(error).strip()}"
                "\nWhat was done before it stays; the next run begins with its first step again."
            )
            raise MigrationError(message) from error


def _enter(connection: psycopg.Connection, migration: Migration) -> None:
    connection.execute(
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
        (migration.version, migration.name, migration.checksum),
    )


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
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for another run (default: %(default)g)",
    )
    parser.add_argument(
        "--lock-wait",
        type=_seconds,
        default=LOCK_WAIT_SECONDS,
        metavar="SECONDS",
        help="how long a migration may wait for a table in use (default: %(default)g)",
    )
    options = parser.parse_args(arguments)
    url = options.url or os.environ.get("DATABASE_URL")
    if not url:
        parser.error("give --url or set DATABASE_URL")
    try:
        if options.command == "up":
            applied = migrate(url, wait=options.wait, lock_wait=options.lock_wait)
            answer = {"applied": applied}
        else:
            answer = asdict(status(url))
    except MigrationError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(json.dumps(answer) + "\n" if options.json else _text(answer))
    return 0


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"must be seconds from 0 to {MAX_SECONDS}")
    return seconds


def _text(answer: Mapping[str, list[str]]) -> str:
    lines = [f"{kind:8} {label}" for kind, labels in answer.items() for label in labels]
    return "\n".join(lines or ["nothing to do"]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
