"""Times as people write them, and what is said to those who wrote something else."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.client.errors import CommandError
from cli.client.times import moment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("3h", "2026-03-01T09:00:00+00:00"),
        ("2d", "2026-02-27T12:00:00+00:00"),
        ("2 days ago", "2026-02-27T12:00:00+00:00"),
        ("90 min", "2026-03-01T10:30:00+00:00"),
        ("Yesterday", "2026-02-28T00:00:00+00:00"),
        ("today", "2026-03-01T00:00:00+00:00"),
        ("now", "2026-03-01T12:00:00+00:00"),
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00+02:00"),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_moments(text: str, iso: str) -> None:
    assert moment("--since", text, NOW) == iso


@pytest.mark.parametrize("text", ["lunch", "", "3", "-2d", "999999w", "2026-02-30"])
def test_what_is_no_time_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        moment("--until", text, NOW)
    assert caught.value.message == f"--until: {text!r} is no time."
    assert "yesterday" in caught.value.hint


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with suppress(CommandError):
        assert datetime.fromisoformat(moment("--since", text, NOW)).tzinfo
