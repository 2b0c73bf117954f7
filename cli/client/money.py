"""`vsl budget`, `usage`, `credits`, `ledger`: what was spent, what is held, and what is left."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.client.api import Api
from cli.client.errors import CommandError, Exit
from cli.client.formatting import dollars
from cli.client.screen import Screen
from cli.client.times import moment

if TYPE_CHECKING:
    from rich.table import Table

_BY = {"day": "day", "user": "userId", "model": "modelId", "media": "mediaType"}


def budget_command(api: Api, screen: Screen) -> None:
    found = api.budget()
    if screen.as_json:
        screen.answer(found)
        return
    screen.out.print(_budgets(found["budgets"]))
    if not found["canStart"]:
        screen.say("Nothing can be started until there is room again.", "yellow")


def budgets_command(api: Api, owner: str, screen: Screen) -> None:
    _show(api.budgets(owner), screen)


def set_command(
    api: Api, owner: str, period: str, limit: str | None, screen: Screen, *, cleared: bool
) -> None:
    """Raises CommandError unless a limit is given or `cleared`."""
    if limit is None and not cleared:
        message = "--limit DOLLARS sets a limit, --none goes back to the deployment's default."
        raise CommandError("NoLimit", message, Exit.REFUSED, "Give one of them.")
    _show(api.set_budget(owner, period, limit), screen)


def _show(found: Mapping[str, Any], screen: Screen) -> None:
    if screen.as_json:
        screen.answer(found)
    else:
        screen.out.print(_budgets(found["budgets"]))


def _budgets(budgets: Iterable[Mapping[str, Any]]) -> "Table":
    table = _table("budget", "limit", "spent", "held", "left", "begins anew", numbers=(1, 2, 3, 4))
    for each in budgets:
        limited = each["limit"] is not None
        usual = "" if each["own"] or not limited else " (default)"
        table.add_row(
            f"{each['of']}/{each['period']}",
            f"{dollars(each['limit'])}{usual}" if limited else "none",
            dollars(each["spent"]),
            dollars(each["held"]),
            dollars(each["left"]) if limited else "",
            str(each["resetsAt"] or "never"),
        )
    return table


@dataclass(frozen=True, slots=True)
class Asked:
    """The options as given; days are ISO or `30d` before now."""

    first: str | None = None
    last: str | None = None
    by: str = "day,model"
    all_users: bool = False

    def query(self, user: str | None, now: datetime) -> dict[str, str | None]:
        """The query parameters of GET /usage. Raises CommandError for what is none."""
        names = [name.strip() for name in self.by.split(",") if name.strip()]
        unknown = [name for name in names if name not in _BY]
        if unknown:
            message = f"--by takes {', '.join(_BY)}, not {', '.join(unknown)}."
            raise CommandError("InvalidBy", message, Exit.REFUSED, "Correct it.")
        return {
            "userId": None if self.all_users else user,
            "from": _day("--from", self.first, now),
            "to": _day("--to", self.last, now),
            "by": ",".join(_BY[name] for name in names),
        }


def _day(option: str, text: str | None, now: datetime) -> str | None:
    if text is None:
        return None
    return datetime.fromisoformat(moment(option, text, now)).astimezone(UTC).date().isoformat()


def usage_command(api: Api, asked: Asked, screen: Screen) -> None:
    found = api.usage(**asked.query(api.target.user, datetime.now(UTC)))
    if screen.as_json:
        screen.answer(found)
        return
    if not found["lines"]:
        screen.say(f"No jobs from {found['from']} to {found['to']}.")
        return
    names = [word for word, name in _BY.items() if name in found["by"]]
    keys = [_BY[word] for word in names]
    numbers = range(len(names), len(names) + 5)
    table = _table(*names, "jobs", "succeeded", "spent", "held", "stage paid", numbers=numbers)
    for line in found["lines"]:
        table.add_row(*(str(line[key]) for key in keys), *_counts(line))
    if keys:
        table.add_section()
        table.add_row("total", *[""] * (len(keys) - 1), *_counts(found["total"]))
    screen.out.print(table)


def _counts(line: Mapping[str, Any]) -> tuple[str, ...]:
    money = (dollars(line[name]) for name in ("spent", "held", "stage"))
    return (str(line["jobs"]), str(line["succeeded"]), *money)


def csv_command(api: Api, asked: Asked, screen: Screen) -> None:
    """With --json the whole table is one text in the object."""
    text = api.usage_csv(**asked.query(api.target.user, datetime.now(UTC)))
    if screen.as_json:
        screen.answer({"csv": text})
        return
    for line in text.splitlines():
        screen.line(line)


def add_command(api: Api, user: str, amount: str, key: str | None, screen: Screen) -> None:
    """Raises CommandError, whose hint says how to repeat it if it is not known what became of it."""
    key = key or uuid.uuid4().hex
    try:
        granted = api.grant_credits(user, amount, key)
    except CommandError as error:
        if error.exit_code == Exit.UNAVAILABLE:
            again = api.target.command(f"credits add {user} {amount} --key {key}")
            error.hint = f"`{again}` repeats it: it cannot count twice. {error.hint}".strip()
        raise
    if screen.as_json:
        screen.answer(granted)
        return
    screen.say(f"{user} has {dollars(granted['amount'])} more.")
    screen.out.print(_budgets(api.budgets(user)["budgets"]))


def ledger_command(api: Api, job_id: str, screen: Screen) -> None:
    found = api.ledger(job_id)
    if screen.as_json:
        screen.answer(found)
        return
    if not found["movements"]:
        screen.say(f"No money was moved for the job {job_id}.")
        return
    table = _table("when", "movement", "from", "to", "amount", numbers=(4,))
    for each in found["movements"]:
        amount = dollars(each["amount"])
        table.add_row(each["at"], each["movement"], each["from"], each["to"], amount)
    screen.out.print(table)


def _table(*names: str, numbers: Iterable[int]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(*names, box=SIMPLE_HEAD, pad_edge=False)
    for number in numbers:
        table.columns[number].justify = "right"
    return table
