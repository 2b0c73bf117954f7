"""Attribute values go there and back through boto3 unchanged, numbers as exact decimals."""

from decimal import Decimal
from typing import Any

import pytest

from vsl.adapters.dynamodb.values import deserialized, serialized

ITEM: dict[str, Any] = {
    "text": "a\u00e9\U0001f600",
    "empty": "",
    "yes": True,
    "no": False,
    "nothing": None,
    "whole": 1_772_366_400_123,
    "zero": 0,
    "less": Decimal("-0.0027"),
    "set": {"b", "a"},
    "map": {"list": [1, "two", None, {"three": Decimal("3.0")}], "empty": {}},
    "list": [],
}


def test_values_come_back_as_they_were_written() -> None:
    assert deserialized(serialized(ITEM)) == ITEM


def test_they_are_what_dynamodb_takes() -> None:
    assert serialized({"n": 1, "s": "x", "none": None, "set": {"a"}, "map": {"l": [True]}}) == {
        "n": {"N": "1"},
        "s": {"S": "x"},
        "none": {"NULL": True},
        "set": {"SS": ["a"]},
        "map": {"M": {"l": {"L": [{"BOOL": True}]}}},
    }


@pytest.mark.parametrize("value", [0.5, Decimal("NaN"), Decimal("Infinity"), {1.5}, object()])
def test_what_no_item_holds_raises(value: object) -> None:
    with pytest.raises(TypeError):
        serialized({"odd": value})
