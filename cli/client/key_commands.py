"""The commands about keys: their options. What they do is in keys.py."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.client.commands import AsJson, Stage, State, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.client.keys import Keys
    from cli.client.screen import Screen

keys = typer.Typer(help="Keys of the API where ApiAuth is KEYS (operators).", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(keys, name="keys", rich_help_panel="Operations")


@contextmanager
def _session(
    *, as_json: bool, stage: str | None, state: Path | None
) -> "Iterator[tuple[Keys, Screen]]":
    from cli.client.keys import opened
    from cli.client.screen import Screen

    screen = Screen(as_json)
    with screen.errors(), opened(stage, state) as found:
        yield found, screen


key_command = command(
    _session, ("as_json", AsJson, False), ("stage", Stage, None), ("state", State, None)
)


@keys.command()
@key_command
def create(
    found: "Keys",
    screen: "Screen",
    *,
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="Whose it is; it reaches that user's things.")
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="For a back end that may act for every user.")
    ] = False,
    project: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="12h, 30d, a day or a time.", show_default="never")
    ] = None,
    dedupe: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            help="Take equal requests within so many seconds for one.",
            show_default="never",
        ),
    ] = None,
) -> None:
    """Make a key, which is shown this once.

    Of a stage without VSL_API_KEY it is made with AWS credentials: so comes the first one.
    """
    from cli.client.errors import CommandError, Exit
    from cli.client.keys import Wish, create_command

    if operator == bool(user):
        message = "--user USER makes a user's key, --operator one for a back end."
        raise CommandError("WhoseKey", message, Exit.REFUSED, "Give one of them.")
    create_command(found, Wish(user, project, expires, dedupe), screen)


@keys.command("list")
@key_command
def list_(
    found: "Keys",
    screen: "Screen",
    *,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
) -> None:
    """Keys, newest first; those that ended are listed for 30 days more."""
    from cli.client.keys import list_command

    list_command(found, user, screen)


@keys.command()
@key_command
def revoke(
    found: "Keys",
    screen: "Screen",
    key: Annotated[str, typer.Argument(metavar="ID", help="Of the key; `vsl keys list` has it.")],
) -> None:
    """Take a key back for good."""
    from cli.client.keys import revoke_command

    revoke_command(found, key, screen)
