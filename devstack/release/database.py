"""`vsl db`: the migrations of a local stack, of a stage, or of the database in DATABASE_URL."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from database.migrate import MigrationError, migrate, status
from devstack.client.errors import CommandError, Exit
from devstack.client.screen import Screen
from devstack.client.target import STAGES, running, secret

_HINT = "docs/deploy.md and database/README.md say how migrations work."


def database_url(state: Path | None, stage: str | None) -> str:
    """--stage, --state, DATABASE_URL, the default local stack: the first that is given.

    Raises CommandError.
    """
    if stage and state:
        message = "--state names a local stack and --stage a deployed one: give one of them."
        raise CommandError("TwoTargets", message, Exit.REFUSED)
    if stage:
        if stage not in STAGES:
            message = f"There is no stage {stage!r}."
            raise CommandError(
                "UnknownStage", message, Exit.REFUSED, f"Take {' or '.join(STAGES)}."
            )
        return secret(stage, "database-url")
    if state is None and "DATABASE_URL" in os.environ:
        return os.environ["DATABASE_URL"]
    return str(running(state)["databaseUrl"])


def migrate_command(url: str, screen: Screen) -> None:
    screen.say(f"Migrating {_name(url)} …", "dim")
    try:
        applied = migrate(url)
    except MigrationError as error:
        raise CommandError("MigrationFailed", str(error), Exit.FAILED, _HINT) from error
    if screen.as_json:
        screen.answer({"applied": applied})
        return
    for label in applied:
        screen.out.print(f"applied  {label}", markup=False)
    if not applied:
        screen.say("Nothing to do.")


def status_command(url: str, screen: Screen) -> None:
    try:
        found = status(url)
    except MigrationError as error:
        raise CommandError("MigrationFailed", str(error), Exit.FAILED, _HINT) from error
    if screen.as_json:
        screen.answer({"applied": found.applied, "pending": found.pending})
        return
    for label in found.applied:
        screen.out.print(f"applied  {label}", markup=False)
    for label in found.pending:
        screen.out.print(f"pending  {label}", style="yellow", markup=False)


def _name(url: str) -> str:
    """Where, without the password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}{parts.path}"
