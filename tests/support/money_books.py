"""All rows of money, of PostgreSQL or of memory, and what must be true of them at every moment."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import psycopg

from tests.support.memory_money import MemoryMoney
from vsl.domain.money.budgets import STAGE, Period, owner_of


class BudgetRow(NamedTuple):
    limits: tuple[int | None, int | None, int | None]
    day: date
    day_spent: int
    day_held: int
    month_spent: int
    month_held: int
    spent: int
    held: int
    prepaid: bool
    granted: int
    credit_spent: int
    credit_held: int


class HoldRow(NamedTuple):
    user_id: str
    model_id: str
    estimate: int
    amount: int
    prepaid: bool
    user_day: date
    stage_day: date
    settled: bool
    charged: int
    overrun: int
    assumed: bool

    @property
    def open(self) -> int:
        return 0 if self.settled else self.amount


class EntryRow(NamedTuple):
    subject: str
    movement: str
    from_account: str
    to_account: str
    amount: int


@dataclass(frozen=True)
class MoneyBooks:
    """`alerts` are owner, period, start, limit, level, and what was spent and held."""

    budgets: dict[str, BudgetRow]
    holds: dict[str, HoldRow]
    ledger: frozenset[EntryRow]
    frozen: frozenset[str]
    alerts: frozenset[tuple[Any, ...]]

    @classmethod
    def of_postgres(cls, sql: psycopg.Connection) -> "MoneyBooks":
        def rows(query: str) -> list[tuple[Any, ...]]:
            return sql.execute(query.encode()).fetchall()

        entries = rows("SELECT subject, movement, from_account, to_account, amount FROM ledger")
        return cls(
            {owner: BudgetRow(tuple(limits), *rest) for owner, limits, *rest in rows(_BUDGETS)},
            {job_id: HoldRow(*rest) for job_id, *rest in rows(_HOLDS)},
            frozenset(EntryRow(*entry) for entry in entries),
            frozenset(model_id for (model_id,) in rows("SELECT model_id FROM frozen_models")),
            frozenset(rows(_ALERTS)),
        )

    @classmethod
    def of_memory(cls, money: MemoryMoney) -> "MoneyBooks":
        budgets = {
            it.owner: BudgetRow(
                (
                    it.limits.get(Period.DAY),
                    it.limits.get(Period.MONTH),
                    it.limits.get(Period.TOTAL),
                ),
                *(getattr(it, name) for name in BudgetRow._fields[1:]),
            )
            for it in money.accounts.values()
        }
        holds = {
            job_id: HoldRow(
                it.job.user_id,
                it.job.model_id,
                *(getattr(it, name) for name in HoldRow._fields[2:]),
            )
            for job_id, it in money.holds.items()
        }
        alerts = frozenset(
            (it.owner, it.period.value, it.starts, it.limit, alert.level, it.spent, it.held)
            for alert in money.alerts.values()
            for it in (alert.budget,)
        )
        entries = frozenset(EntryRow(*entry) for entry in money.ledger.values())
        return cls(budgets, holds, entries, frozenset(money.frozen), alerts)

    def balances(self) -> dict[str, int]:
        """By the sums of the entries."""
        sums: dict[str, int] = defaultdict(int)
        for entry in self.ledger:
            sums[entry.from_account] -= entry.amount
            sums[entry.to_account] += entry.amount
        return sums

    def faults(self) -> Iterator[str]:
        """What is wrong: the sums of the entries, the running totals and the holds must agree."""
        stage = self.budgets.get(STAGE)
        users = {owner.removeprefix("user:") for owner in self.budgets.keys() - {STAGE}}
        for user_id in users:
            yield from self._of_user(user_id)
        balances = self.balances()
        known = {"provider", "stage", "grants"}
        known |= {f"{kind}:{user}" for kind in ("held", "credit", "invoice") for user in users}
        expected = {
            "the accounts that belong to a budget": (balances.keys() - known, set()),
            "what the provider got: ledger, stage": (
                balances.get("provider", 0),
                stage.spent if stage else 0,
            ),
            "what is held: holds, stage": (
                sum(it.open for it in self.holds.values()),
                stage.held if stage else 0,
            ),
            "who paid: users and stage, provider": (
                sum(self.budgets[owner_of(it)].spent for it in users) - balances.get("stage", 0),
                balances.get("provider", 0),
            ),
            "overruns: holds, ledger": (
                sum(it.overrun for it in self.holds.values()),
                sum(it.amount for it in self.ledger if it.movement in {"overrun", "late"}),
            ),
        }
        if stage:
            days = [it for it in self.holds.values() if it.stage_day == stage.day]
            expected["what is held of the stage's day"] = (
                sum(it.open for it in days),
                stage.day_held,
            )
        for name, (left, right) in expected.items():
            if left != right:
                yield f"{name}: {left} is not {right}"
        for owner, row in self.budgets.items():
            if any(count < 0 for count in row if isinstance(count, int)):
                yield f"{owner} has a negative count: {row}"

    def _of_user(self, user_id: str) -> Iterator[str]:
        row, balances = self.budgets[owner_of(user_id)], self.balances()
        holds = [it for it in self.holds.values() if it.user_id == user_id]
        today = [it for it in holds if it.user_day == row.day]
        month = [it for it in holds if _month(it.user_day) == _month(row.day)]
        on_credit = [it for it in holds if it.prepaid]
        credit = row.granted - row.credit_spent - row.credit_held
        owed = row.spent - row.credit_spent + row.held - row.credit_held
        counts = {
            "held": (row.held, sum(it.open for it in holds)),
            "spent": (row.spent, sum(it.charged for it in holds)),
            "held today": (row.day_held, sum(it.open for it in today)),
            "spent today": (row.day_spent, sum(it.charged for it in today)),
            "held this month": (row.month_held, sum(it.open for it in month)),
            "spent this month": (row.month_spent, sum(it.charged for it in month)),
            "credit held": (row.credit_held, sum(it.open for it in on_credit)),
            "credit spent": (row.credit_spent, sum(it.charged for it in on_credit)),
            "held by the ledger": (row.held, balances.get(f"held:{user_id}", 0)),
            "credit by the ledger": (credit, balances.get(f"credit:{user_id}", 0)),
            "owed by the ledger": (-owed, balances.get(f"invoice:{user_id}", 0)),
        }
        for name, (left, right) in counts.items():
            if left != right:
                yield f"{user_id}, {name}: {left} is not {right}"


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


_BUDGETS = """
    SELECT owner, ARRAY[day_limit, month_limit, total_limit], day, day_spent, day_held, month_spent,
        month_held, spent, held, prepaid, granted, credit_spent, credit_held
    FROM budgets
"""
_HOLDS = """
    SELECT job_id::text, user_id, model_id, estimate, amount, prepaid, user_day, stage_day,
        settled_at IS NOT NULL, charged, overrun, assumed
    FROM holds
"""
_ALERTS = "SELECT owner, period, starts, limit_amount, level, spent, held FROM budget_alerts"
