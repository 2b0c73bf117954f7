"""Whether the budgets would admit a job, without holding anything for it."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.errors import StoreUnavailable
from vsl.domain.money.budgets import STAGE, owner_of
from vsl.services.ports.money import Budgets, Freezes
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class ForeseeAdmission:
    budgets: Budgets
    freezes: Freezes
    clock: Clock

    def __call__(self, user_id: str, model_id: str, wanted: int | None) -> dict[str, Any]:
        """`admitted` and, if it is not, `refusedBy`: in the order in which a hold is refused. A store
        that does not answer leaves `admitted` open: the price is known without it.

        `wanted` in micro-dollars, None for a model without a price."""
        try:
            refused_by = self._refused_by(user_id, model_id, wanted)
        except StoreUnavailable:
            return {"admitted": None, "refusedBy": None}
        return {"admitted": refused_by is None, "refusedBy": refused_by}

    def _refused_by(self, user_id: str, model_id: str, wanted: int | None) -> dict[str, Any] | None:
        if wanted is None and not self.budgets.admits_unpriced(user_id):
            return {"of": "unpriced", "modelId": model_id}
        if any(frozen.model_id == model_id for frozen in self.freezes.frozen()):
            return {"of": "model", "modelId": model_id}
        today = self.clock.now().date()
        for owner in (owner_of(user_id), STAGE):
            for budget in self.budgets.read(owner, today):
                if budget.refuses(wanted or 0):
                    return budget.refusal()
        return None
