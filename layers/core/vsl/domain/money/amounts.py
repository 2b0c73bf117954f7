"""Amounts of money: whole micro-dollars where they are counted, US dollars as text where people read."""

from decimal import Decimal, InvalidOperation

_MICRO = 1_000_000
# What a bigint holds with room for sums of sums.
MOST_DOLLARS = Decimal(1_000_000_000)


def micro_dollars(dollars: Decimal) -> int:
    """Raises ValueError for parts of a micro-dollar: rounding is the catalogue's alone."""
    amount = dollars * _MICRO
    if amount != int(amount):
        raise ValueError(f"not whole micro-dollars: {dollars}")
    return int(amount)


def dollars(micro: int) -> Decimal:
    """3000 is 0.003, 10000000 is 10."""
    return plain(Decimal(micro) / _MICRO)


def plain(amount: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent: 0.003000 is 0.003, and 10 is not 1E+1."""
    text = format(amount, "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def plain_if_known(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else plain(amount)


def plain_text(amount: Decimal | None) -> str | None:
    """An amount as the API writes it; None for one that is not known."""
    return None if amount is None else str(plain(amount))


def parse_dollars(text: object) -> int:
    """The micro-dollars of an amount as text, such as "0.021".

    Raises ValueError, with what is wrong, for anything but decimal text of at most six places.
    """
    if not isinstance(text, str) or not text.replace(".", "", 1).isdecimal() or not text.isascii():
        raise ValueError('must be US dollars as text, such as "12.50"')
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise ValueError('must be US dollars as text, such as "12.50"') from error
    if amount > MOST_DOLLARS:
        raise ValueError(f"must be at most {MOST_DOLLARS}")
    if amount.as_tuple().exponent < -6:  # type: ignore[operator] # it is a number
        raise ValueError("must have at most six decimal places")
    return micro_dollars(amount)
