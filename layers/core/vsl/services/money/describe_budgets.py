"""What operators see of the budgets of one user, or of the whole deployment."""

from datetime import date
from typing import Any

from vsl.domain.money.budgets import budget_documents, can_start, owner_document
from vsl.services.ports.money import Budgets


def describe_budgets(budgets: Budgets, owner: str, today: date) -> dict[str, Any]:
    found = budgets.read(owner, today)
    return owner_document(owner) | {
        "budgets": budget_documents(found),
        "canStart": can_start(found),
    }
