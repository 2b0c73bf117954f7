"""The commands about money: their options. What they do is in money.py."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.client.commands import (
    AsJson,
    Job,
    Stage,
    State,
    User,
    find_job_of,
    public_command,
    session,
    user_command,
)

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen

Owner = Annotated[str, typer.Argument(help="A user, or `stage`: the whole deployment.")]


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


budget = typer.Typer(
    help="What may still be spent, and by whom; `vsl budget set` limits it.",
    invoke_without_command=True,
)
credits_ = typer.Typer(help="Credits that users have paid for (operators).", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(budget, name="budget", rich_help_panel="Money")
    app.command(rich_help_panel="Money")(usage)
    app.add_typer(credits_, name="credits", rich_help_panel="Money")
    app.command(rich_help_panel="Money")(ledger)


@budget.callback()
def own(
    context: typer.Context,
    *,
    as_json: AsJson = False,
    user: User = None,
    stage: Stage = None,
    state: State = None,
) -> None:
    """What a user has spent and may still spend; `vsl budget set` limits it."""
    if context.invoked_subcommand is not None:
        return
    with session(as_json=as_json, stage=stage, state=state, user=user) as (api, screen):
        from cli.client.money import budget_command

        budget_command(api, screen)


@budget.command("show")
@public_command
def show(api: "Api", screen: "Screen", owner: Owner = "stage") -> None:
    """The budgets of a user or of the whole deployment (operators)."""
    from cli.client.money import budgets_command

    budgets_command(api, owner, screen)


@budget.command("set")
@public_command
def set_(
    api: "Api",
    screen: "Screen",
    owner: Owner,
    *,
    period: Annotated[Period, typer.Option(help="Of which budget.")],
    limit: Annotated[
        str | None, typer.Option(metavar="DOLLARS", help="Such as 1.50; 0 lets nothing start.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="The deployment's default again.")] = False,
) -> None:
    """Limit what a user or the whole deployment may spend (operators)."""
    from cli.client.money import set_command

    set_command(api, owner, period, None if none else limit, screen, cleared=none)


@user_command
def usage(
    api: "Api",
    screen: "Screen",
    *,
    first: Annotated[
        str | None,
        typer.Option("--from", help="A day, or 30d.", show_default="30 days with the last"),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="A day, or 1d.", show_default="today")
    ] = None,
    by: Annotated[
        str, typer.Option(help="What the lines tell apart: of day, user, model and media.")
    ] = "day,model",
    as_csv: Annotated[bool, typer.Option("--csv", help="As a table for other programs.")] = False,
    all_users: Annotated[bool, typer.Option("--all-users", help="Not only one user's.")] = False,
) -> None:
    """Jobs and money, by day (UTC) and model."""
    from cli.client.money import Asked, csv_command, usage_command

    asked = Asked(first, last, by, all_users=all_users)
    (csv_command if as_csv else usage_command)(api, asked, screen)


@credits_.command("add")
@public_command
def add(
    api: "Api",
    screen: "Screen",
    user: Annotated[str, typer.Argument(help="Who has paid.")],
    amount: Annotated[str, typer.Argument(metavar="DOLLARS", help="Such as 12.50.")],
    *,
    key: Annotated[
        str | None,
        typer.Option(help="Idempotency-Key, such as the invoice's number: it counts once."),
    ] = None,
) -> None:
    """Add credits that a user has paid for (operators)."""
    from cli.client.money import add_command

    add_command(api, user, amount, key, screen)


@user_command
def ledger(api: "Api", screen: "Screen", job: Job = "last") -> None:
    """What was held, paid and given back for a job (operators)."""
    from cli.client.money import ledger_command

    ledger_command(api, find_job_of(api, job), screen)
