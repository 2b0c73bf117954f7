"""What DynamoDB reckons an item's size to be, which is what a write is billed by.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import math
from collections.abc import Mapping
from typing import Any

_CONTAINER = 3  # bytes of a list or a map, whatever is in it
_ELEMENT = 1  # bytes beside each of its elements


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item whose attributes are typed, as in `{"jobId": {"S": "…"}}`."""
    return sum(_utf8(name) + _value(value) for name, value in item.items())


def _value(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return _utf8(value)
        case "N":
            return _number(value)
        case "BOOL" | "NULL":
            return 1
        case "M":
            return _CONTAINER + item_size(value) + _ELEMENT * len(value)
        case "L":
            return _CONTAINER + sum(_ELEMENT + _value(each) for each in value)
        case "SS":
            return sum(map(_utf8, value))
        case _:
            raise NotImplementedError(kind)


def _number(text: str) -> int:
    """A byte for two significant digits, and one more; the zeros around them are not kept."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1 + text.startswith("-")


def _utf8(text: str) -> int:
    return len(text.encode())
