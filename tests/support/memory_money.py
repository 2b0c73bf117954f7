"""The rules of database/migrations/0002_money.sql in memory; a property test compares the two."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from vsl.domain.errors import IdempotencyKeyReused, ModelFrozen
from vsl.domain.jobs.job import Job
from vsl.domain.money.amounts import micro_dollars
from vsl.domain.money.budgets import (
    NO_BUDGETS,
    STAGE,
    Budget,
    BudgetAlert,
    BudgetDefaults,
    Period,
    budget_exceeded,
    owner_of,
    unpriced_model,
)

LEVELS = (50, 80, 100)
_EVER = date(1970, 1, 1)


@dataclass(slots=True)
class Account:
    """A row of `budgets`."""

    owner: str
    day: date
    limits: dict[Period, int] = field(default_factory=dict)
    day_spent: int = 0
    day_held: int = 0
    month_spent: int = 0
    month_held: int = 0
    spent: int = 0
    held: int = 0
    prepaid: bool = False
    granted: int = 0
    credit_spent: int = 0
    credit_held: int = 0

    def turn_over(self, today: date) -> None:
        if today <= self.day:
            return
        self.day_spent = self.day_held = 0
        if (today.year, today.month) > (self.day.year, self.day.month):
            self.month_spent = self.month_held = 0
        self.day = today

    def in_force(self, defaults: BudgetDefaults) -> list[Budget]:
        return [budget for budget in self.lines(defaults) if budget.limit is not None]

    def lines(self, defaults: BudgetDefaults) -> list[Budget]:
        """With those that have no limit; credit only for one who has or needs it."""
        day, month, total = defaults.limits(self.owner)
        credit = self.granted if self.prepaid or defaults.must_prepay(self.owner) else None
        rows = [
            (Period.DAY, self.day, day, self.day_spent, self.day_held),
            (Period.MONTH, self.day.replace(day=1), month, self.month_spent, self.month_held),
            (Period.TOTAL, _EVER, total, self.spent, self.held),
            (Period.CREDIT, _EVER, credit, self.credit_spent, self.credit_held),
        ]
        own = self.limits.keys() | ({Period.CREDIT} if self.prepaid else set())
        return [
            Budget(self.owner, period, starts, limit, spent, held, period in own)
            for period, starts, default, spent, held in rows
            if (limit := self.limits.get(period, default)) is not None
            or period is not Period.CREDIT
        ]

    def add(self, held: int, paid: int) -> None:
        self.day_held += held
        self.month_held += held
        self.held += held
        self.credit_held += held if self.prepaid else 0
        self.day_spent += paid
        self.month_spent += paid
        self.spent += paid

    def spend(self, freed: int, paid: int, held_on: date, *, prepaid: bool) -> None:
        if self.day == held_on:
            self.day_held -= freed
            self.day_spent += paid
        if (self.day.year, self.day.month) == (held_on.year, held_on.month):
            self.month_held -= freed
            self.month_spent += paid
        self.held -= freed
        self.spent += paid
        if prepaid:
            self.credit_held -= freed
            self.credit_spent += paid


class Entry(NamedTuple):
    """A row of `ledger`."""

    subject: str
    movement: str
    from_account: str
    to_account: str
    amount: int


@dataclass(slots=True)
class Hold:
    job: Job
    estimate: int
    amount: int
    prepaid: bool
    user_day: date
    stage_day: date
    settled: bool = False
    charged: int = 0
    overrun: int = 0
    assumed: bool = False

    @property
    def funds(self) -> str:
        return f"{'credit' if self.prepaid else 'invoice'}:{self.job.user_id}"

    @property
    def held(self) -> str:
        return f"held:{self.job.user_id}"


class MemoryMoney:
    def __init__(self, defaults: BudgetDefaults = NO_BUDGETS) -> None:
        self.defaults = defaults
        self.accounts: dict[str, Account] = {}
        self.holds: dict[str, Hold] = {}
        self.ledger: dict[tuple[str, str], Entry] = {}
        self.frozen: set[str] = set()
        self.alerts: dict[tuple[Budget, int], BudgetAlert] = {}
        self.claimed: set[tuple[Budget, int]] = set()
        self.published: set[tuple[Budget, int]] = set()

    def admits_unpriced(self, _user_id: str) -> bool:
        return self.defaults.unpriced

    def hold(self, job: Job) -> bool:
        if job.model_id in self.frozen:
            raise ModelFrozen("The model takes no jobs.", modelId=job.model_id)
        if job.estimated_cost is None and not self.defaults.unpriced:
            raise unpriced_model(job.model_id)
        wanted, today = micro_dollars(job.hold), min(job.created_at.date(), _today())
        user, stage = self._copy(owner_of(job.user_id), today), self._copy(STAGE, today)
        for account in (user, stage):
            for budget in account.in_force(self.defaults):
                if budget.refuses(wanted):
                    if _reached(budget, 80):
                        self._note(budget, 100)
                    raise budget_exceeded(budget, wanted)
            account.add(wanted, 0)
        self.accounts |= {user.owner: user, stage.owner: stage}
        made = Hold(job, _estimate(job), wanted, user.prepaid, user.day, stage.day)
        self.holds[job.job_id] = made
        self._move(job.job_id, "hold", made.funds, made.held, wanted)
        return self._note_levels(user) | self._note_levels(stage)

    def settle(self, job: Job, cost: Decimal | None) -> None:
        paid = None if cost is None else micro_dollars(cost)
        hold = self.holds.get(job.job_id)
        if hold is None:
            if not paid:
                return
            hold = self._hold_afterwards(job, paid)
        total = hold.estimate if paid is None else paid
        charged = min(total, hold.amount)
        user, stage = self.accounts[owner_of(hold.job.user_id)], self.accounts[STAGE]
        if not hold.settled:
            user.spend(hold.amount, charged, hold.user_day, prepaid=hold.prepaid)
            stage.spend(hold.amount, total, hold.stage_day, prepaid=False)
            self._move(job.job_id, "charge", hold.held, "provider", charged)
            self._move(job.job_id, "release", hold.held, hold.funds, hold.amount - charged)
            self._move(job.job_id, "overrun", STAGE, "provider", total - charged)
            hold.settled, hold.assumed = True, paid is None
            hold.charged, hold.overrun = charged, total - charged
        elif paid is not None and hold.assumed:
            user.spend(0, charged - hold.charged, hold.user_day, prepaid=hold.prepaid)
            stage.spend(0, total - hold.charged, hold.stage_day, prepaid=False)
            self._move(job.job_id, "correction", hold.funds, "provider", charged - hold.charged)
            self._move(job.job_id, "correction", "provider", hold.funds, hold.charged - charged)
            self._move(job.job_id, "overrun", STAGE, "provider", total - charged)
            hold.assumed = False
            hold.charged, hold.overrun = charged, total - charged
        elif paid is None or paid <= hold.charged + hold.overrun:
            return
        elif self._charge_stage(job.job_id, "late", paid - hold.charged - hold.overrun):
            hold.overrun = paid - hold.charged
        else:
            return
        if paid is not None and 0 < 3 * hold.estimate < paid:
            self.frozen.add(job.model_id)

    def charge_orphan(self, replicate_id: str, cost: Decimal) -> None:
        self._charge_stage(replicate_id, "orphan", micro_dollars(cost))

    def grant(self, key: str, user_id: str, amount: int) -> bool:
        entry = self.ledger.get((key, "grant"))
        if entry is not None:
            if (entry.to_account, entry.amount) != (f"credit:{user_id}", amount):
                raise IdempotencyKeyReused("The key stands for other credits.")
            return False
        self._move(key, "grant", "grants", f"credit:{user_id}", amount)
        account = self.accounts.setdefault(owner_of(user_id), Account(owner_of(user_id), _EVER))
        account.prepaid = True
        account.granted += amount
        return True

    def unfreeze(self, model_id: str) -> bool:
        known = model_id in self.frozen
        self.frozen.discard(model_id)
        return known

    def set_limit(self, owner: str, period: Period, limit: int | None) -> None:
        account = self.accounts.setdefault(owner, Account(owner, _EVER))
        if limit is None:
            account.limits.pop(period, None)
        else:
            account.limits[period] = limit

    def in_force(self, owner: str, today: date) -> list[Budget]:
        """The limits that count today."""
        return self._copy(owner, today).in_force(self.defaults)

    def read(self, owner: str, today: date) -> list[Budget]:
        """The same with those that have no limit."""
        return self._copy(owner, today).lines(self.defaults)

    def _hold_afterwards(self, job: Job, wanted: int) -> Hold:
        day = min(job.created_at.date(), _today())
        user, stage = self._opened(owner_of(job.user_id), day), self._opened(STAGE, day)
        user.add(wanted, 0)
        stage.add(wanted, 0)
        made = Hold(job, _estimate(job), wanted, user.prepaid, user.day, stage.day)
        self.holds[job.job_id] = made
        self._move(job.job_id, "hold", made.funds, made.held, wanted)
        return made

    def _charge_stage(self, subject: str, movement: str, cost: int) -> bool:
        charged = self._move(subject, movement, STAGE, "provider", cost)
        if charged:
            self._opened(STAGE, _today()).add(0, cost)
        return charged

    def _copy(self, owner: str, today: date) -> Account:
        """As it counts today; a refusal leaves no trace of it."""
        account = replace(self.accounts.get(owner, Account(owner, today)))
        account.turn_over(today)
        return account

    def _opened(self, owner: str, today: date) -> Account:
        account = self.accounts.setdefault(owner, Account(owner, today))
        account.turn_over(today)
        return account

    def _move(self, subject: str, movement: str, source: str, target: str, amount: int) -> bool:
        if amount <= 0 or (subject, movement) in self.ledger:
            return False
        self.ledger[subject, movement] = Entry(subject, movement, source, target, amount)
        return True

    def _note_levels(self, account: Account) -> bool:
        noted = [
            self._note(budget, level)
            for budget in account.in_force(self.defaults)
            for level in LEVELS
            if _reached(budget, level)
        ]
        return any(noted)

    def _note(self, budget: Budget, level: int) -> bool:
        key = _identity(budget, level)
        if key in self.alerts:
            return False
        self.alerts[key] = BudgetAlert(budget, level, datetime.now(UTC))
        return True

    def claim_unpublished(self) -> list[BudgetAlert]:
        """A claim lasts until `unclaim`."""
        found = [key for key in self.alerts if key not in self.published | self.claimed]
        self.claimed.update(found)
        return [self.alerts[key] for key in found]

    def unclaim(self) -> None:
        """The minute is over."""
        self.claimed.clear()

    def mark_published(self, alert: BudgetAlert) -> None:
        self.published.add(_identity(alert.budget, alert.level))


def _reached(budget: Budget, level: int) -> bool:
    used, limit = budget.spent + budget.held, budget.limit
    return limit is not None and limit > 0 and used * 100 >= limit * level


def _identity(budget: Budget, level: int) -> tuple[Budget, int]:
    """The primary key of `budget_alerts`."""
    return replace(budget, spent=0, held=0), level


def _today() -> date:
    return datetime.now(UTC).date()


def _estimate(job: Job) -> int:
    return micro_dollars(job.estimated_cost or Decimal(0))
