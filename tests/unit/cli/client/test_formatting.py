"""Numbers, times and prices for people."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.client.formatting import (
    ago,
    dollars,
    media,
    plain,
    price,
    seconds,
    size,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 s"), (0.049, "0.05 s"), (4.6, "4.6 s"), (59.99, "60.0 s"), (65, "1 min 05 s"),
     (290, "4 min 50 s"), (3599.7, "1 h 00 min"), (7260, "2 h 01 min")],
)  # fmt: skip
def test_durations(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.003, "$0.003"), ("0.50", "$0.50"), (12, "$12.00"), (0.000225, "$0.000225"), (None, "not known")],
)  # fmt: skip
def test_money_has_two_to_six_places(value: Any, text: str) -> None:
    assert dollars(value) == text


def test_sizes() -> None:
    sizes = [0, 1023, 1024, 25746, 5 * 2**20, 2**32]
    assert list(map(size, sizes)) == [
        "0 bytes", "1023 bytes", "1.0 KiB", "25.1 KiB", "5.0 MiB", "4.0 GiB"
    ]  # fmt: skip


def test_ages() -> None:
    times = [
        "2026-03-01T11:59:55Z",
        "2026-03-01T11:50:00Z",
        "2026-03-01T02:00:00Z",
        "2026-02-01T02:00:00Z",
    ]
    assert [ago(each, NOW) for each in times] == ["5 s ago", "10 min ago", "10 h ago", "2026-02-01"]


def test_prices() -> None:
    assert price({"unit": "image", "amount": "0.003"}) == "$0.003 an image"
    assert price({"unit": "gpu_second", "amount": "0.0014"}) == "$0.0014 a second of GPU"
    by = {"unit": "output_second", "by": "resolution", "amount": "0.036"}
    amounts = {"480p": "0.018", "1080p": "0.072", "720p": "0.036"}
    assert price({**by, "amounts": amounts}) == "$0.018 to $0.072 a second of output, by resolution"


def test_media_says_what_is_known() -> None:
    asset = {"width": None, "height": None, "duration": 8.0, "fps": None, "codec": None}
    asset |= {"contentType": "audio/wav", "fileSize": 2048}  # type: ignore[dict-item]
    assert media(asset) == "8.0 s, audio/wav, 2.0 KiB"


@given(st.text())
def test_plain_text_cannot_steer_the_terminal(text: str) -> None:
    assert not {"\x1b", "\x07", "\x9b", "\r"} & set(plain(text + "\x1b[2J\r\x9b\x07"))
    assert len(plain(text)) == len(text)
