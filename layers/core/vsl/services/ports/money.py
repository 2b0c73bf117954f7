"""PostgreSQL, as budgets and their readers ask it. Amounts are whole micro-dollars.

What is held and settled for a job goes through `ports.jobs.JobRepository`, in the transactions that
write the job. An owner is `stage` or `user:<userId>` (`domain.money.budgets.owner_of`).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from vsl.domain.money.budgets import Budget, BudgetAlert, FrozenModel, Movement, Period
from vsl.domain.money.usage import UsageLine, UsageRequest


class Budgets(Protocol):
    def read(self, owner: str, today: date) -> Sequence[Budget]:
        """Day, month and total as they count today, whether or not they have a limit; credit only for
        one who has or needs it."""
        ...

    def admits_unpriced(self, user_id: str) -> bool:
        """Whether the user may run models without a price."""
        ...

    def set_limit(self, owner: str, period: Period, limit: int | None) -> None:
        """None: the deployment's default is in force again. `period` is not CREDIT."""
        ...

    def grant(self, key: str, user_id: str, amount: int) -> bool:
        """Credits, once per key. False if they were granted before.

        Raises IdempotencyKeyReused when the key stands for another user or amount.
        """
        ...


class MoneyQueries(Protocol):
    def usage(self, wanted: UsageRequest) -> Sequence[UsageLine]:
        """Newest day first, then by what was spent."""
        ...

    def movements(self, job_id: str) -> Sequence[Movement]:
        """All of a job, in the order in which they were written."""
        ...


class Freezes(Protocol):
    """Models whose cost was not what it should be."""

    def frozen(self) -> Sequence[FrozenModel]: ...

    def unfreeze(self, model_id: str) -> bool:
        """False if it was not frozen."""
        ...


class BudgetAlerts(Protocol):
    def claim_unpublished(self) -> Sequence[BudgetAlert]:
        """Those to publish now, oldest first. Each is left out of other calls' answers for a minute."""
        ...

    def mark_published(self, alert: BudgetAlert) -> None: ...


class AlertPublisher(Protocol):
    """EventBridge."""

    def budget_reached(self, document: Mapping[str, Any]) -> None: ...
