"""The options of `vsl db`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.client.commands import Stage, State, screen_command

if TYPE_CHECKING:
    from cli.client.screen import Screen

Wait = Annotated[
    float,
    typer.Option(min=0, max=86_400, metavar="SECONDS", help="How long to wait for another run."),
]

app = typer.Typer(
    help="Bring a database forward: --stage's, DATABASE_URL's, or a local stack's.",
    no_args_is_help=True,
)


@app.command()
@screen_command
def migrate(
    screen: "Screen", *, stage: Stage = None, state: State = None, wait: Wait = 30.0
) -> None:
    """Apply the migrations that are pending."""
    from cli.release.database import database_url, migrate_command

    migrate_command(database_url(state, stage), screen, wait)


@app.command()
@screen_command
def status(screen: "Screen", *, stage: Stage = None, state: State = None) -> None:
    """Tell which migrations are applied and which are pending."""
    from cli.release.database import database_url, status_command

    status_command(database_url(state, stage), screen)
