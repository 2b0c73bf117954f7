"""A user's own budgets: what is spent and held of them, and whether another job may be started."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.money.budgets import STAGE, Period, budget_documents, can_start, owner_of
from vsl.services.ports.money import Budgets
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class GetBudget:
    budgets: Budgets
    clock: Clock

    def __call__(self, user_id: str) -> dict[str, Any]:
        """The public document. The whole deployment's budgets count in `canStart`, and are not shown."""
        today = self.clock.now().date()
        own = self.budgets.read(owner_of(user_id), today)
        shown = [it for it in own if it.period is not Period.TOTAL or it.limit is not None]
        return {
            "userId": user_id,
            "budgets": budget_documents(shown),
            "canStart": can_start([*own, *self.budgets.read(STAGE, today)]),
        }
