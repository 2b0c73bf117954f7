"""`vsl db`: the migrations of a local stack, of a stage, or of the database in DATABASE_URL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cli.client.errors import CommandError, Exit
from cli.client.screen import Screen
from cli.client.target import one_target, running, secret, valid_stage
from database.address import here
from database.migrate import MigrationError, migrate, status

_HINT = "docs/deploy.md and database/README.md say how migrations work."


def database_url(state: Path | None, stage: str | None) -> str:
    """--stage, --state, DATABASE_URL, the default local stack: the first that is given.

    Raises CommandError.
    """
    one_target(state, stage)
    if stage:
        return here(secret(valid_stage(stage), "database-url"))
    if state is None and "DATABASE_URL" in os.environ:
        return os.environ["DATABASE_URL"]
    return str(running(state)["databaseUrl"])


@contextmanager
def migration_errors(hint: str) -> Iterator[None]:
    try:
        yield
    except MigrationError as error:
        raise CommandError("MigrationFailed", str(error), Exit.FAILED, hint) from error


def migrate_command(url: str, screen: Screen, wait: float) -> None:
    screen.say(f"Migrating {_name(url)} …", "dim")
    with migration_errors(_HINT):
        applied = migrate(url, wait=wait)
    if screen.answer({"applied": applied}):
        return
    for label in applied:
        screen.out.print(f"applied  {label}", markup=False)
    if not applied:
        screen.say("Nothing to do.")


def status_command(url: str, screen: Screen) -> None:
    with migration_errors(_HINT):
        found = status(url)
    if screen.answer({"applied": found.applied, "pending": found.pending}):
        return
    for label in found.applied:
        screen.out.print(f"applied  {label}", markup=False)
    for label in found.pending:
        screen.out.print(f"pending  {label}", style="yellow", markup=False)


def _name(url: str) -> str:
    """Where, without the password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}{parts.path}"
