"""Credits that a user has paid for: added once, however often the request is repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.idempotency import IDEMPOTENCY_KEY, KEY_RULE, is_key
from vsl.domain.money.amounts import dollars
from vsl.services.money.budget_requests import parse_credits
from vsl.services.ports.money import Budgets


@dataclass(frozen=True, slots=True)
class Granted:
    """`replayed`: an earlier request with this key granted it."""

    document: dict[str, Any]
    replayed: bool


@dataclass(frozen=True, slots=True)
class GrantCredits:
    budgets: Budgets

    def __call__(self, key: str | None, body: Mapping[str, Any], caller: Caller) -> Granted:
        """What was granted, for a repetition word for word the same.

        Raises Forbidden for a user, InvalidRequest, and IdempotencyKeyReused for a key that stands for
        other credits.
        """
        caller.require_trusted()
        if key is None or not is_key(key):
            raise InvalidRequest.of([(IDEMPOTENCY_KEY, KEY_RULE)])
        user_id, amount = parse_credits(body)
        first = self.budgets.grant(key, user_id, amount)
        return Granted({"userId": user_id, "amount": str(dollars(amount))}, replayed=not first)
