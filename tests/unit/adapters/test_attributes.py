"""Attribute values are boto3's, both ways."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from vsl.adapters.attributes import deserialized, serialized

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


def test_they_are_written_as_boto3_writes_them() -> None:
    ours = serialized(ITEM)
    theirs = {name: TypeSerializer().serialize(value) for name, value in ITEM.items()}
    for each in (ours, theirs):
        each["set"] = {"SS": sorted(each["set"]["SS"])}
    assert ours == theirs


def test_they_are_read_as_boto3_reads_them() -> None:
    item: dict[str, Any] = {name: TypeSerializer().serialize(value) for name, value in ITEM.items()}
    theirs = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    assert deserialized(item) == theirs == ITEM


@pytest.mark.parametrize("value", [0.5, Decimal("NaN"), b"bytes", {1, 2}, object()])
def test_what_no_item_holds_raises(value: object) -> None:
    with pytest.raises(TypeError):
        serialized({"odd": value})
