"""`vsl budget`, `usage`, `credits`, `ledger`: what was spent, what is held, and what is left."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.client.commands import (
    AsJson,
    Job,
    Stage,
    State,
    User,
    public_command,
    session,
    user_command,
)
from cli.client.errors import CommandError, Exit
from cli.client.formatting import dollars, table
from cli.client.reference import find_job
from cli.client.times import moment

if TYPE_CHECKING:
    from rich.table import Table

    from cli.client.api import Api
    from cli.client.screen import Screen

_BY = {"day": "day", "user": "userId", "model": "modelId", "media": "mediaType"}
Owner = Annotated[str, typer.Argument(help="A user, or `stage`: the whole deployment.")]


budget = typer.Typer(
    help="What may still be spent, and by whom; `vsl budget set` limits it.",
    invoke_without_command=True,
)
credits_ = typer.Typer(help="Credits that users have paid for (operators).", no_args_is_help=True)


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
        found = api.budget()
        _show(found, screen)
        if not found["canStart"]:
            screen.say("Nothing can be started until there is room again.", "yellow")


@budget.command()
@public_command
def show_command(api: "Api", screen: "Screen", owner: Owner = "stage") -> None:
    """The budgets of a user or of the whole deployment (operators)."""
    _show(api.budgets(owner), screen)


@budget.command()
@public_command
def set_command(
    api: "Api",
    screen: "Screen",
    owner: Owner,
    *,
    period: Annotated[Literal["day", "month", "total"], typer.Option(help="Of which budget.")],
    limit: Annotated[
        str | None, typer.Option(metavar="DOLLARS", help="Such as 1.50; 0 lets nothing start.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="The deployment's default again.")] = False,
) -> None:
    """Limit what a user or the whole deployment may spend (operators)."""
    if limit is None and not none:
        message = "--limit DOLLARS sets a limit, --none goes back to the deployment's default."
        raise CommandError("NoLimit", message, Exit.REFUSED, "Give one of them.")
    _show(api.set_budget(owner, period, None if none else limit), screen)


def _show(found: Mapping[str, Any], screen: "Screen") -> None:
    if not screen.answer(found):
        screen.out.print(_budgets(found["budgets"]))


def _budgets(budgets: Iterable[Mapping[str, Any]]) -> "Table":
    shown = table("budget", "limit", "spent", "held", "left", "begins anew", numbers=(1, 2, 3, 4))
    for each in budgets:
        limited = each["limit"] is not None
        usual = "" if each["own"] or not limited else " (default)"
        shown.add_row(
            f"{each['of']}/{each['period']}",
            f"{dollars(each['limit'])}{usual}" if limited else "none",
            dollars(each["spent"]),
            dollars(each["held"]),
            dollars(each["left"]) if limited else "",
            str(each["resetsAt"] or "never"),
        )
    return shown


def usage_query(
    user: str | None, first: str | None, last: str | None, by: str, now: datetime
) -> dict[str, str | None]:
    """The query parameters of GET /usage for these options. Raises CommandError for what is none."""
    names = [name.strip() for name in by.split(",") if name.strip()]
    unknown = [name for name in names if name not in _BY]
    if unknown:
        message = f"--by takes {', '.join(_BY)}, not {', '.join(unknown)}."
        raise CommandError("InvalidBy", message, Exit.REFUSED, "Correct it.")
    return {
        "userId": user,
        "from": _day("--from", first, now),
        "to": _day("--to", last, now),
        "by": ",".join(_BY[name] for name in names),
    }


def _day(option: str, text: str | None, now: datetime) -> str | None:
    if text is None:
        return None
    return datetime.fromisoformat(moment(option, text, now)).astimezone(UTC).date().isoformat()


@user_command
def usage_command(
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
    user = None if all_users else api.target.user
    query = usage_query(user, first, last, by, datetime.now(UTC))
    if as_csv:
        _print_csv(api.usage_csv(**query), screen)
        return
    found = api.usage(**query)
    if screen.answer(found):
        return
    if not found["lines"]:
        screen.say(f"No jobs from {found['from']} to {found['to']}.")
        return
    names = [word for word, name in _BY.items() if name in found["by"]]
    keys = [_BY[word] for word in names]
    numbers = range(len(names), len(names) + 5)
    shown = table(*names, "jobs", "succeeded", "spent", "held", "stage paid", numbers=numbers)
    for line in found["lines"]:
        shown.add_row(*(str(line[key]) for key in keys), *_counts(line))
    if keys:
        shown.add_section()
        shown.add_row("total", *[""] * (len(keys) - 1), *_counts(found["total"]))
    screen.out.print(shown)


def _counts(line: Mapping[str, Any]) -> tuple[str, ...]:
    money = (dollars(line[name]) for name in ("spent", "held", "stage"))
    return (str(line["jobs"]), str(line["succeeded"]), *money)


def _print_csv(text: str, screen: "Screen") -> None:
    """With --json the whole table is one text in the object."""
    if screen.answer({"csv": text}):
        return
    for line in text.splitlines():
        screen.line(line)


@credits_.command()
@public_command
def add_command(
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
    key = key or uuid.uuid4().hex
    try:
        granted = api.grant_credits(user, amount, key)
    except CommandError as error:
        if error.exit_code == Exit.UNAVAILABLE:
            again = api.target.command(f"credits add {user} {amount} --key {key}")
            error.hint = f"`{again}` repeats it: it cannot count twice. {error.hint}".strip()
        raise
    if screen.answer(granted):
        return
    screen.say(f"{user} has {dollars(granted['amount'])} more.")
    screen.out.print(_budgets(api.budgets(user)["budgets"]))


@user_command
def ledger_command(api: "Api", screen: "Screen", job: Job = "last") -> None:
    """What was held, paid and given back for a job (operators)."""
    job_id = find_job(api, job)
    found = api.ledger(job_id)
    if screen.answer(found):
        return
    if not found["movements"]:
        screen.say(f"No money was moved for the job {job_id}.")
        return
    shown = table("when", "movement", "from", "to", "amount", numbers=(4,))
    for each in found["movements"]:
        amount = dollars(each["amount"])
        shown.add_row(each["at"], each["movement"], each["from"], each["to"], amount)
    screen.out.print(shown)
