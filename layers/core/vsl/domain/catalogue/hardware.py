"""What a second on the provider's hardware costs: the table of `config/hardware.json`."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import TypeAdapter, ValidationError

from vsl.domain.catalogue.models import Dollars, Strict
from vsl.domain.errors import ConfigurationError

type Rates = Mapping[str, Decimal]


class Hardware(Strict):
    """`title` is the provider's name for people, `per_second` US dollars."""

    title: str
    per_second: Dollars


_TABLE = TypeAdapter(dict[str, Hardware])


def read_hardware(text: str) -> Mapping[str, Hardware]:
    """By the key that a price names. Raises ConfigurationError with the path of the first fault."""
    try:
        return _TABLE.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"])) or "the table"
        message = f"The table of hardware is not valid: {place}: {fault['msg']}"
        raise ConfigurationError(message) from None


def rates_of(text: str) -> Rates:
    return {key: hardware.per_second for key, hardware in read_hardware(text).items()}
