"""Money: what a job will probably cost and what it did cost, in exact US dollars.

Billing rules of the provider (https://replicate.com/docs/topics/billing): failed and aborted
predictions are free; a canceled one is paid for until it was canceled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from vsl.domain.jobs.job import MediaAsset, MediaType
from vsl.domain.jobs.terms import PriceTerms
from vsl.domain.money.amounts import plain
from vsl.domain.predictions.prediction import Outcome, PredictionStatus

if TYPE_CHECKING:  # pydantic is slow to import, and recording a webhook needs no price
    from vsl.domain.catalogue.models import Model

CURRENCY = "USD"

_MICRO_DOLLAR = Decimal("0.000001")
# What the accounts hold (numeric(12, 6)): more is no cost but a wrong count.
_MOST_DOLLARS = Decimal(999_999)
# A prediction that cost more than so many times its estimate freezes its model (settle_money in
# database/migrations/0002_money.sql does it; a test compares the two).
ANOMALY = 3
_FREE = {PredictionStatus.FAILED, PredictionStatus.ABORTED}


def estimate(model: "Model", parameters: Mapping[str, Any]) -> Decimal | None:
    """The expected cost for validated parameters, to the micro-dollar; None for an unpriced model."""
    price = model.price
    if price is None:
        return None
    units = _asked_units(model, parameters)
    if price.predict_time is not None:
        units = price.predict_time.seconds(parameters)
    return _dollars(price.amount_for(parameters) * units)


def price_terms(model: "Model", parameters: Mapping[str, Any]) -> PriceTerms | None:
    """The price for validated parameters, as it stands today; None for an unpriced model. Raises
    KeyError without one of the parameters on which it hangs."""
    price = model.price
    if price is None:
        return None
    hold = price.hold if price.unit == "gpu_second" else Decimal(1)
    return PriceTerms(
        price.unit, price.amount_for(parameters), _asked_units(model, parameters), hold
    )


def would_hold(model: "Model", parameters: Mapping[str, Any]) -> Decimal:
    """What `Job.hold` is of a job that is not made yet, for validated parameters."""
    terms, expected = price_terms(model, parameters), estimate(model, parameters)
    if terms is None or expected is None:
        return Decimal(0)
    return (expected * terms.hold).quantize(_MICRO_DOLLAR, ROUND_CEILING)


def charged(terms: PriceTerms | None, outcome: Outcome) -> Decimal | None:
    """What the provider charged, to the micro-dollar; None when it cannot be known, as without terms.

    Images are counted as delivered: what the safety checker removed is not paid for. Where output is
    paid for and there was none, nothing is. A price per run or per second of output has no rule for
    a prediction canceled half-way.
    """
    if outcome.status in _FREE:
        return Decimal(0)
    if terms is None:
        return None
    units: Decimal | None
    if terms.unit == "gpu_second":
        units = None if outcome.predict_time is None else Decimal(str(outcome.predict_time))
    elif outcome.output_count == 0 and not outcome.data_removed:
        units = Decimal(0)
    elif terms.unit == "image" and outcome.output_count and not outcome.data_removed:
        units = Decimal(outcome.output_count)
    elif outcome.status is PredictionStatus.SUCCEEDED:
        units = terms.units
    else:
        units = None
    cost = None if units is None else _dollars(terms.amount * units)
    return None if cost is None or cost > _MOST_DOLLARS else cost


def is_anomalous(estimated: Decimal | None, cost: Decimal | None) -> bool:
    """Whether a cost freezes the model. Nothing is known of one that was expected to be free."""
    return cost is not None and bool(estimated) and cost > ANOMALY * (estimated or 0)


def delivered(outcome: Outcome, assets: Sequence[MediaAsset]) -> Outcome:
    """The outcome with its output counted by what was stored: a page or a text is no image.

    Where no file is one that can be recognized, each was delivered all the same.
    """
    images = sum(asset.content_type.startswith(f"{MediaType.IMAGE}/") for asset in assets)
    return replace(outcome, output_count=images or len(assets), data_removed=False)


def actual_cost(model: "Model", parameters: Mapping[str, Any], outcome: Outcome) -> Decimal | None:
    """The same by today's catalogue. A price that hangs on a parameter is unknown for a job whose
    parameters are deleted."""
    if outcome.status in _FREE:
        return Decimal(0)
    try:
        return charged(price_terms(model, parameters), outcome)
    except KeyError:
        return None


def estimated_time(model: "Model", parameters: Mapping[str, Any]) -> float:
    """Expected seconds from submission to the finished prediction of a warm model."""
    return float(model.estimated_time.seconds(parameters))


def price_document(model: "Model") -> dict[str, Any] | None:
    """The price for readers: `amount` is that of the default choice where `amounts` differ."""
    price = model.price
    if price is None:
        return None
    defaults = {name: known.default for name, known in model.parameters.items()}
    document: dict[str, Any] = {"unit": price.unit, "currency": CURRENCY}
    if price.amounts is None:
        return document | {"amount": str(price.amount)}
    amounts = {choice: str(amount) for choice, amount in price.amounts.items()}
    default = defaults.get(price.by or "")
    amount = amounts.get(str(default), min(amounts.values(), key=Decimal))
    return document | {"amount": amount, "by": price.by, "amounts": amounts}


def _asked_units(model: "Model", parameters: Mapping[str, Any]) -> Decimal:
    count = None if model.price is None else model.price.count
    return Decimal(1) if count is None else Decimal(str(parameters[count]))


def _dollars(amount: Decimal) -> Decimal:
    """Rounded to the micro-dollar, without trailing zeros and without an exponent."""
    return plain(amount.quantize(_MICRO_DOLLAR, ROUND_HALF_UP))
