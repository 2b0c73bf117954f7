"""Budgets: how much a user, and the whole deployment, may spend. Amounts are whole micro-dollars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self

from vsl.domain.errors import BudgetExceeded, UnpricedModel
from vsl.domain.jobs.job import iso
from vsl.domain.money.amounts import dollars

STAGE = "stage"
_USER = "user:"
_FIGURES = {"limit", "spent", "held", "left"}


class Period(StrEnum):
    """`total` never ends; `credit` is what was granted in advance."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"
    CREDIT = "credit"

    def resets_at(self, starts: date) -> datetime | None:
        """When the budget is whole again; None for one that never resets by itself."""
        if self is Period.DAY:
            ends = starts + timedelta(days=1)
        elif self is Period.MONTH:
            ends = (starts.replace(day=1) + timedelta(days=32)).replace(day=1)
        else:
            return None
        return datetime.combine(ends, time(), UTC)


def owner_of(user_id: str) -> str:
    return f"{_USER}{user_id}"


def owner_document(owner: str) -> dict[str, str]:
    """How the API names an owner: `{"of": "stage"}` or `{"of": "user", "userId": …}`."""
    if owner == STAGE:
        return {"of": STAGE}
    return {"of": "user", "userId": owner.removeprefix(_USER)}


@dataclass(frozen=True, slots=True)
class BudgetDefaults:
    """Limits of users without limits of their own; None: no limit. `prepaid`: users without credits may
    start nothing. `unpriced`: models without a price may be run."""

    user_day: int | None = None
    user_month: int | None = None
    stage_day: int | None = None
    stage_month: int | None = None
    prepaid: bool = False
    unpriced: bool = False

    def limits(self, owner: str) -> tuple[int | None, int | None, None]:
        """Of day, month and total."""
        if owner == STAGE:
            return (self.stage_day, self.stage_month, None)
        return (self.user_day, self.user_month, None)

    def must_prepay(self, owner: str) -> bool:
        return self.prepaid and owner != STAGE


NO_BUDGETS = BudgetDefaults()


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit in force, or what was spent where there is none. `own`: the limit is the owner's own,
    not the deployment's default; `credit` counts what was granted as its limit."""

    owner: str
    period: Period
    starts: date
    limit: int | None
    spent: int
    held: int
    own: bool = False

    @property
    def of(self) -> str:
        """`stage` or `user`."""
        return owner_document(self.owner)["of"]

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.spent - self.held)

    def refuses(self, wanted: int) -> bool:
        """A limit of 0 is a closed budget, for what is free, too."""
        if self.limit is None:
            return False
        return self.limit == 0 or self.spent + self.held + wanted > self.limit

    def document(self) -> dict[str, Any]:
        resets_at = self.period.resets_at(self.starts)
        return owner_document(self.owner) | {
            "period": self.period.value,
            "limit": _text(self.limit),
            "spent": _text(self.spent),
            "held": _text(self.held),
            "left": _text(self.left),
            "resetsAt": None if resets_at is None else iso(resets_at),
        }

    def refusal(self) -> dict[str, Any]:
        """The details of the refusal. What the whole deployment may spend, and has spent, is
        for operators (`GET /budgets/stage`), whose back ends show refusals to their users."""
        hidden = _FIGURES if self.owner == STAGE else ()
        return {name: value for name, value in self.document().items() if name not in hidden}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Of the columns owner, period, starts, limit_amount, spent and held; `starts` may be text."""
        starts = row["starts"]
        return cls(
            owner=row["owner"],
            period=Period(row["period"]),
            starts=date.fromisoformat(starts) if isinstance(starts, str) else starts,
            limit=row["limit_amount"],
            spent=row["spent"],
            held=row["held"],
            own=row.get("own", False),
        )


def can_start(budgets: Iterable[Budget]) -> bool:
    """Whether they have room for the cheapest job that costs anything."""
    return not any(budget.refuses(1) for budget in budgets)


def budget_documents(budgets: Iterable[Budget]) -> list[dict[str, Any]]:
    """As the API shows them; `own` tells a limit of the owner's own from the deployment's default."""
    return [budget.document() | {"own": budget.own} for budget in budgets]


def unpriced_model(model_id: str) -> UnpricedModel:
    return UnpricedModel(
        f"{model_id} has no price in the catalogue, so what it costs cannot be held. Take another"
        " model, or ask the operator for a price or for the right to run it without one.",
        modelId=model_id,
    )


def budget_exceeded(budget: Budget, wanted: int) -> BudgetExceeded:
    """The refusal of a job that may cost `wanted`: what is full and until when, by how much if it is the
    user's."""
    document = budget.refusal()
    document["budget"] = f"{document.pop('of')}/{document.pop('period')}"
    document.pop("userId", None)
    return BudgetExceeded(_reason(budget, wanted), wouldHold=_text(wanted), **document)


def _reason(budget: Budget, wanted: int) -> str:
    resets_at = budget.period.resets_at(budget.starts)
    then = (
        "ask the operator for more" if resets_at is None else f"it begins anew at {iso(resets_at)}"
    )
    name = _NAMES[budget.period]
    if budget.owner == STAGE:
        return f"This deployment's {name} has no room left for the job; {then}."
    if budget.limit == 0 and budget.period is Period.CREDIT:
        return "The user has no credits; ask the operator for some."
    if budget.limit == 0:
        return f"No jobs may be started: the user's {name} is 0. Ask the operator to raise it."
    return (
        f"The job may cost {_written(wanted)}, and of the user's {name}, {_written(budget.limit)}, only"
        f" {_written(budget.left)} are left; {then}."
    )


_NAMES = {
    Period.DAY: "budget for the day",
    Period.MONTH: "budget for the month",
    Period.TOTAL: "budget",
    Period.CREDIT: "credits",
}


def _written(amount: int | None) -> str:
    """As people write it: with two places at least."""
    whole, _, places = str(dollars(amount or 0)).partition(".")
    return f"${whole}.{places:0<2}"


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(dollars(amount))


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """A budget that has reached `level` per cent of its limit."""

    budget: Budget
    level: int
    at: datetime

    def document(self) -> dict[str, Any]:
        return self.budget.document() | {"level": self.level, "at": iso(self.at)}


@dataclass(frozen=True, slots=True)
class Movement:
    """One entry of the ledger: `amount` went from one account to another, once per (subject, name)."""

    entry: int
    subject: str
    name: str
    job_id: str | None
    from_account: str
    to_account: str
    amount: int
    at: datetime

    def document(self) -> dict[str, Any]:
        return {
            "entry": self.entry,
            "movement": self.name,
            "subject": self.subject,
            "jobId": self.job_id,
            "from": self.from_account,
            "to": self.to_account,
            "amount": _text(self.amount),
            "at": iso(self.at),
        }


@dataclass(frozen=True, slots=True)
class FrozenModel:
    model_id: str
    job_id: str
    estimate: int
    cost: int
    frozen_at: datetime

    def document(self) -> dict[str, Any]:
        return {
            "modelId": self.model_id,
            "jobId": self.job_id,
            "estimate": _text(self.estimate),
            "cost": _text(self.cost),
            "frozenAt": iso(self.frozen_at),
        }
