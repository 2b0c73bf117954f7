"""DynamoDB's attribute values, as far as the live items need them; a test compares with boto3's.

boto3's own are behind the import of all of boto3.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

type Attribute = dict[str, Any]


def serialized(values: Mapping[str, Any]) -> dict[str, Attribute]:
    return {name: _attribute(value) for name, value in values.items()}


def deserialized(item: Mapping[str, Attribute]) -> dict[str, Any]:
    """Numbers are Decimal, sets are of text."""
    return {name: _value(attribute) for name, attribute in item.items()}


def _attribute(value: object) -> Attribute:  # noqa: PLR0911 - one line a type
    if isinstance(value, str):
        return {"S": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite()):
        return {"N": str(value)}
    if isinstance(value, Mapping):
        return {"M": serialized(value)}
    if isinstance(value, list | tuple):
        return {"L": [_attribute(each) for each in value]}
    if isinstance(value, set | frozenset) and all(isinstance(each, str) for each in value):
        return {"SS": sorted(value)}
    raise TypeError(f"DynamoDB holds no {type(value).__name__}: {value!r}")


def _value(attribute: Attribute) -> Any:
    ((kind, value),) = attribute.items()
    return _READ[kind](value)


def _same(value: Any) -> Any:
    return value


_READ: Mapping[str, Callable[[Any], Any]] = {
    "S": _same,
    "N": Decimal,
    "M": deserialized,
    "L": lambda values: [_value(each) for each in values],
    "BOOL": _same,
    "NULL": lambda _: None,
    "SS": set,
}
