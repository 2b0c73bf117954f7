"""Give a user, or the whole deployment, a limit of its own, or take it away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.services.money.budget_requests import parse_limit, parse_owner
from vsl.services.money.describe_budgets import describe_budgets
from vsl.services.ports.money import Budgets
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class SetBudget:
    budgets: Budgets
    clock: Clock

    def __call__(self, owner: str, body: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """The budgets after it. Raises Forbidden for a user, and InvalidRequest."""
        caller.require_trusted()
        whose, (period, limit) = parse_owner(owner), parse_limit(body)
        self.budgets.set_limit(whose, period, limit)
        return describe_budgets(self.budgets, whose, self.clock.now().date())
