"""The words of `vsl db`."""

import typer

from devstack.client.commands import AsJson, Stage, State

app = typer.Typer(
    help="Bring a database forward: --stage's, DATABASE_URL's, or a local stack's.",
    no_args_is_help=True,
)


@app.command()
def migrate(*, as_json: AsJson = False, stage: Stage = None, state: State = None) -> None:
    """Apply the migrations that are pending."""
    from devstack.client.screen import Screen

    screen = Screen(as_json)
    with screen.errors():
        from devstack.release.database import database_url, migrate_command

        migrate_command(database_url(state, stage), screen)


@app.command()
def status(*, as_json: AsJson = False, stage: Stage = None, state: State = None) -> None:
    """Tell which migrations are applied and which are pending."""
    from devstack.client.screen import Screen

    screen = Screen(as_json)
    with screen.errors():
        from devstack.release.database import database_url, status_command

        status_command(database_url(state, stage), screen)
