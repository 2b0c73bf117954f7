"""What the provider sends becomes something that every store holds and every reader can show."""

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsl.domain.predictions.provider_values import (
    MOST_SECONDS,
    clean_text,
    read_json,
    seconds_of,
    text_of,
    texts_in,
    time_of,
)

# With halves of surrogate pairs, which JSON can carry.
TEXT = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (5.524512, 5.524512),
        (0, 0.0),
        (-0.0, 0.0),
        (Decimal("1.5"), 1.5),
        (MOST_SECONDS, MOST_SECONDS),
        (1e-300, 0.0),
        (-0.5, None),
        (-1e-9, None),
        (1e300, None),
        (10**400, None),
        (MOST_SECONDS + 1, None),
        (math.nan, None),
        (math.inf, None),
        (Decimal("NaN"), None),
        (True, None),
        ("1.5", None),
        ([1.5], None),
        (None, None),
    ],
)
def test_measurements(value: object, seconds: float | None) -> None:
    found = seconds_of(value)
    assert found == seconds
    assert found is None or math.copysign(1, found) == 1


@given(JSON)
def test_a_measurement_is_one_that_could_be_measured(value: Any) -> None:
    found = seconds_of(value)
    assert found is None or 0 <= found <= MOST_SECONDS


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-03-01T12:00:00.5Z", datetime(2026, 3, 1, 12, 0, 0, 500_000, UTC)),
        ("2026-03-01T12:00:00.123456789Z", datetime(2026, 3, 1, 12, 0, 0, 123_456, UTC)),
        ("2026-03-01T14:00:00+02:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("half \ud83d", None),
        ("soon", None),
        ("", None),
        (1_772_366_400, None),
        (None, None),
    ],
)
def test_times_have_an_offset(value: object, at: datetime | None) -> None:
    found = time_of(value)
    assert found == at
    assert found is None or found.tzinfo is UTC


@given(JSON)
def test_any_value_has_a_time_or_none(value: Any) -> None:
    found = time_of(value)
    assert found is None or found.utcoffset() is not None


@pytest.mark.parametrize(
    ("given_text", "clean"),
    [
        ("plain, naïve 🌊 and\ttabs\nlines", "plain, naïve 🌊 and\ttabs\nlines"),
        ("half \ud83d", "half \ufffd"),
        ("a\0b", "ab"),
        ("\x1b[31;1mred\x1b[0m and \x07bell", "red and bell"),
        ("\x9b2Jgone\x85\x7f", "gone"),
        ("one\r\ntwo\rthree", "one\ntwothree"),
    ],
)
def test_texts(given_text: str, clean: str) -> None:
    assert clean_text(given_text) == clean


@given(TEXT)
def test_a_clean_text_is_storable_and_stays_as_it_is(given_text: str) -> None:
    clean = clean_text(given_text)
    clean.encode()
    assert not {c for c in clean if c < " " and c not in "\t\n"}
    assert clean_text(clean) == clean


@pytest.mark.parametrize("nothing", [None, False, "", [], {}])
def test_no_text(nothing: object) -> None:
    assert text_of(nothing) is None


@given(JSON)
def test_any_value_is_a_text_or_nothing(value: Any) -> None:
    found = text_of(value)
    assert found is None or clean_text(found) == found


def test_an_object_is_shown_as_json() -> None:
    assert text_of({"detail": "no \x1bway", "n": [1]}) == '{"detail": "no \\u001bway", "n": [1]}'
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert text_of(deep) == "The provider's text is unreadable."


def test_texts_are_found_in_their_order_however_deep() -> None:
    assert list(texts_in({"a": ["1", None, {"b": "2"}], "c": "3", "d": 4})) == ["1", "2", "3"]
    deep: Any = "found"
    for _ in range(100_000):
        deep = [deep]
    assert list(texts_in(deep)) == ["found"]


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": 1e400}', {"a": math.inf}),
        (b"9" * 5000, math.inf),
        (b'"caf\xe9"', "caf\ufffd"),
        (b'"\xed\xa0\xbd"', "\ufffd\ufffd\ufffd"),
        ('"é"'.encode("utf-16"), "é"),
        (b"\xef\xbb\xbf{}", {}),
    ],
)
def test_json_is_read_leniently(content: bytes, value: object) -> None:
    assert read_json(content) == value


@given(JSON)
def test_whatever_json_can_say_is_read(value: Any) -> None:
    read = read_json(json.dumps(value).encode())
    assert json.dumps(read) == json.dumps(value)


@pytest.mark.parametrize("content", [b"", b"<html>", b"{", b"\x00\x01", b"[" * 100_000])
def test_what_is_no_json_is_said_so(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(content)
