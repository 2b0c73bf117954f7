"""Money: what a job will probably cost and what it did cost, in exact US dollars.

Billing rules of the provider (https://replicate.com/docs/topics/billing): failed and aborted
predictions are free; a canceled one is paid for until it was canceled.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from vsl.domain.prediction import Outcome, PredictionStatus

if TYPE_CHECKING:  # the catalogue's library is dear, and who records a webhook needs no price
    from vsl.domain.catalogue import Model

CURRENCY = "USD"

_MICRO_DOLLAR = Decimal("0.000001")
_FREE = {PredictionStatus.FAILED, PredictionStatus.ABORTED}


def estimate(model: "Model", parameters: Mapping[str, Any]) -> Decimal:
    """The expected cost for validated parameters, to the micro-dollar."""
    price = model.price
    units = _asked_units(model, parameters)
    if price.predict_time is not None:
        units = price.predict_time.seconds(parameters)
    return _dollars(price.amount_for(parameters) * units)


def actual_cost(model: "Model", parameters: Mapping[str, Any], outcome: Outcome) -> Decimal | None:
    """What the provider charged, to the micro-dollar; None when it cannot be known.

    Images are counted as delivered: what the safety checker removed is not paid for. A price per
    run or per second of output has no rule for a prediction canceled half-way, and one that hangs
    on a parameter none for a job whose parameters are deleted.
    """
    try:
        return _actual_cost(model, parameters, outcome)
    except KeyError:
        return None


def _actual_cost(model: "Model", parameters: Mapping[str, Any], outcome: Outcome) -> Decimal | None:
    if outcome.status in _FREE:
        return Decimal(0)
    units: Decimal | None
    if model.price.unit == "gpu_second":
        units = None if outcome.predict_time is None else Decimal(str(outcome.predict_time))
    elif model.price.unit == "image" and outcome.output_count and not outcome.data_removed:
        units = Decimal(outcome.output_count)
    elif outcome.status is PredictionStatus.SUCCEEDED:
        units = _asked_units(model, parameters)
    else:
        units = None
    return None if units is None else _dollars(model.price.amount_for(parameters) * units)


def estimated_time(model: "Model", parameters: Mapping[str, Any]) -> float:
    """Expected seconds from submission to the finished prediction of a warm model."""
    return float(model.estimated_time.seconds(parameters))


def price_document(model: "Model") -> dict[str, Any]:
    """The price for readers: `amount` is that of the default choice where `amounts` differ."""
    price = model.price
    defaults = {name: known.default for name, known in model.parameters.items()}
    document: dict[str, Any] = {"unit": price.unit, "currency": CURRENCY}
    if price.amounts is None:
        return document | {"amount": str(price.amount)}
    amounts = {choice: str(amount) for choice, amount in price.amounts.items()}
    default = defaults.get(price.by or "")
    amount = amounts.get(str(default), min(amounts.values(), key=Decimal))
    return document | {"amount": amount, "by": price.by, "amounts": amounts}


def _asked_units(model: "Model", parameters: Mapping[str, Any]) -> Decimal:
    count = model.price.count
    return Decimal(1) if count is None else Decimal(str(parameters[count]))


def _dollars(amount: Decimal) -> Decimal:
    """Rounded to the micro-dollar, without trailing zeros and without an exponent."""
    rounded = amount.quantize(_MICRO_DOLLAR, ROUND_HALF_UP)
    return Decimal(format(rounded, "f").rstrip("0").rstrip("."))
