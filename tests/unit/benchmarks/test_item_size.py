"""Sizes against AWS's own words: names, values, three bytes a container, one an element."""

from typing import Any

import pytest

from benchmarks.item_size import item_size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "job"}, 3),
        ({"S": "é"}, 2),
        ({"S": ""}, 0),
        ({"N": "1772366400280"}, 7),  # the last of its 13 digits is not kept
        ({"N": "-12.50"}, 4),
        ({"N": "0"}, 1),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"M": {}}, 3),
        ({"M": {"at": {"S": "now"}}}, 3 + 1 + 2 + 3),
        ({"L": [{"S": "ab"}, {"N": "7"}]}, 3 + (1 + 2) + (1 + 2)),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_a_value_has_its_size(value: dict[str, Any], size: int) -> None:
    assert item_size({"name": value}) == len("name") + size


def test_a_type_it_does_not_know_is_not_passed_over() -> None:
    with pytest.raises(NotImplementedError, match="NS"):
        item_size({"numbers": {"NS": ["1"]}})
