"""What operators ask of budgets, read strictly."""

from collections.abc import Mapping
from typing import Any

from vsl.domain.api.request import is_user_id
from vsl.domain.errors import InvalidRequest
from vsl.domain.money.amounts import parse_dollars
from vsl.domain.money.budgets import STAGE, Period, owner_of
from vsl.domain.suggestions import named

LIMITED = (Period.DAY, Period.MONTH, Period.TOTAL)


def parse_owner(name: str) -> str:
    """`stage` or a user id, which is never `stage`. Raises InvalidRequest."""
    if name == STAGE:
        return STAGE
    if not is_user_id(name):
        raise InvalidRequest.of([("owner", f"must be {STAGE} or a user id")])
    return owner_of(name)


def parse_limit(body: Mapping[str, Any]) -> tuple[Period, int | None]:
    """Of `{period, limit}`: the period, and micro-dollars or None for the default. Raises
    InvalidRequest, with every fault."""
    faults = _unknown(body, ("period", "limit"))
    period, limit = body.get("period"), None
    if period not in LIMITED:
        faults["period"] = f"must be one of {', '.join(LIMITED)}"
    if "limit" not in body:
        faults["limit"] = "is required; null goes back to the default"
    elif body["limit"] is not None:
        limit = _amount(body, "limit", faults)
    _check(faults)
    return Period(str(period)), limit


def parse_credits(body: Mapping[str, Any]) -> tuple[str, int]:
    """Of `{userId, amount}`: the user and micro-dollars, more than none. Raises InvalidRequest, with
    every fault."""
    faults = _unknown(body, ("userId", "amount"))
    user_id = body.get("userId")
    if not is_user_id(user_id):
        faults["userId"] = "must be a user id"
    amount = _amount(body, "amount", faults)
    if amount == 0:
        faults["amount"] = "must be more than 0"
    _check(faults)
    return str(user_id), amount


def _amount(body: Mapping[str, Any], field: str, faults: dict[str, str]) -> int:
    try:
        return parse_dollars(body.get(field))
    except ValueError as error:
        faults[field] = str(error)
        return -1


def _unknown(body: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
    strange = [key for key in body if key not in keys][:10]
    return {named(key): f"is not known here. Known are: {', '.join(keys)}" for key in strange}


def _check(faults: Mapping[str, str]) -> None:
    if faults:
        raise InvalidRequest.of(faults.items())
