"""Prefer (RFC 7240): how long the client would wait, and that nothing else is ever an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsl.domain.api.prefer import LONGEST_WAIT, preferred_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("respond-async, wait=10", 10),
        ("WAIT = 7", 7),
        ('wait="7"', 7),
        ("wait=7; foo=bar", 7),
        ("return=minimal,wait=025", 25),
        ("wait=26", LONGEST_WAIT),
        ("wait=99999999999999999999", LONGEST_WAIT),
        ("wait=3, wait=9", 3),
        ("wait=x, wait=9", 0),
        ("wait=0", 0),
        ("wait", LONGEST_WAIT),
        (" wait ; x=1", LONGEST_WAIT),
        ("respond-async, wait", LONGEST_WAIT),
        ("wait=", LONGEST_WAIT),
        ('wait=""', LONGEST_WAIT),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=7 8", 0),
        ("wait=٣", 0),
        ("wait-for=10", 0),
        ('note="wait=10, wait=5"', 0),
        ('note="a, b", wait=5', 5),
        ('note="never closed, wait=5', 0),
        ('note="\\"\\", wait=5', 0),
        ("respond-async", 0),
        (",,;=", 0),
        ("", 0),
        (None, 0),
        (7, 0),
    ],
)
def test_the_first_readable_wait_counts(header: object, seconds: int) -> None:
    assert preferred_wait(header) == seconds


@given(st.text(max_size=200))
def test_no_text_is_an_error(header: str) -> None:
    assert 0 <= preferred_wait(header) <= LONGEST_WAIT
