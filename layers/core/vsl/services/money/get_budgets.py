"""The budgets of a user, or of the whole deployment, for operators."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.services.money.budget_requests import parse_owner
from vsl.services.money.describe_budgets import describe_budgets
from vsl.services.ports.money import Budgets
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class GetBudgets:
    budgets: Budgets
    clock: Clock

    def __call__(self, owner: str, caller: Caller) -> dict[str, Any]:
        """The public document. Raises Forbidden for a user, InvalidRequest for no possible owner."""
        caller.require_trusted()
        return describe_budgets(self.budgets, parse_owner(owner), self.clock.now().date())
