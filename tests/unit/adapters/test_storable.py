"""Anything JSON can carry becomes something PostgreSQL can hold."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vsl.adapters.postgres.job_repository import storable

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


def sound(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and value.encode(errors="replace").decode() == value
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(sound(name) and sound(item) for name, item in value.items())
    if isinstance(value, list):
        return all(sound(item) for item in value)
    return True


@given(VALUES)
def test_the_result_is_sound_and_stays_what_it_becomes(value: Any) -> None:
    result = storable(value)
    assert sound(result)
    assert storable(result) == result
    json.dumps(result, allow_nan=False)


@given(VALUES.filter(sound))
def test_a_sound_value_is_left_alone(value: Any) -> None:
    assert storable(value) == value


def test_what_cannot_be_held_is_replaced_and_not_dropped() -> None:
    given_value = {"a\0": ["\ud800x", float("nan"), (1, float("-inf"))]}
    assert storable(given_value) == {"a\ufffd": ["?x", None, [1, None]]}
