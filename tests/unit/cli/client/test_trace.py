"""The waterfall: every segment a bar where it lies."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.client.trace import summary, waterfall

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def timeline(*lengths: tuple[str, float, str], **more: Any) -> dict[str, Any]:
    segments = []
    at = 0.0
    for name, length, actor in lengths:
        start, end = (BEGAN + timedelta(seconds=each) for each in (at, at + length))
        segments.append(
            {
                "name": name,
                "start": start.isoformat(),
                "end": end.isoformat(),
                "seconds": length,
                "actor": actor,
                "detail": {},
            }
        )
        at += length
    return {
        "createdAt": BEGAN.isoformat(),
        "completedAt": (BEGAN + timedelta(seconds=at)).isoformat(),
        "wallTime": at,
        "wokenBy": "webhook",
        "retries": 0,
        "estimatedCost": "0.003",
        "heldCost": None,
        "actualCost": None,
        "segments": segments,
        **more,
    }


def drawn(document: dict[str, Any], width: int = 100) -> list[str]:
    console = Console(width=width, file=None, color_system=None)
    with console.capture() as captured:
        console.print(waterfall(document, width))
    return captured.get().splitlines()


def bars(lines: list[str]) -> list[tuple[int, int]]:
    return [(line.index("━"), line.rindex("━") + 1) for line in lines]


def test_bars_lie_where_their_segments_do() -> None:
    lines = drawn(
        timeline(
            ("validate", 2.0, "workflow"), ("run", 6.0, "provider"), ("store", 2.0, "workflow")
        )
    )
    (a, b), (c, d), (e, f) = bars(lines)
    whole = f - a
    assert abs((b - a) / whole - 0.2) < 0.05
    assert abs((d - c) / whole - 0.6) < 0.05
    assert (b, d) == (c, e)


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=12), st.integers(60, 200))
def test_every_segment_is_seen_and_none_leaves_its_column(lengths: list[float], width: int) -> None:
    lines = drawn(
        timeline(*((f"s{n}", length, "workflow") for n, length in enumerate(lengths))), width
    )
    found = bars(lines)
    assert len(found) == len(lengths)
    assert all(len(line) <= width for line in lines)
    assert [start for start, _ in found] == sorted(start for start, _ in found)


def test_a_job_that_has_not_begun_can_be_drawn() -> None:
    assert drawn(timeline(("validate", 0.0, "workflow"), completedAt=None, wokenBy=None))


def test_the_summary_tells_time_money_and_who_woke_the_job() -> None:
    status = {"estimatedTime": 2.0}
    document = timeline(
        ("validate", 1.0, "workflow"), ("queue", 1.0, "provider"), ("run", 2.0, "provider"),
        ("notify", 0.5, "poller"), wokenBy="poller", retries=2,
        actualCost="0.006",
    )  # fmt: skip
    assert summary(document, status) == [
        "time    4.5 s (estimated 2.0 s): 3.0 s at the provider, 1.5 s around it",
        "money   $0.006 (estimated $0.003)",
        "woken   by poller, 0.5 s after the model's end",
        "retries 2",
    ]


def test_the_summary_of_a_running_job_promises_nothing() -> None:
    status = {"estimatedTime": 2.0}
    document = timeline(
        ("validate", 1.0, "workflow"), completedAt=None, wokenBy=None, heldCost="0.009"
    )
    assert summary(document, status)[0].startswith("time    1.0 s so far")
    assert summary(document, status)[1:] == [
        "money   not known yet, $0.009 held (estimated $0.003)",
        "woken   not yet",
    ]
    ended = timeline(("validate", 1.0, "workflow"))
    assert summary(ended, status)[1] == "money   not known (estimated $0.003)"
    unsettled = timeline(("validate", 1.0, "workflow"), heldCost="0.009")
    assert summary(unsettled, status)[1] == "money   not known yet, $0.009 held (estimated $0.003)"


def test_a_wait_for_the_provider_is_told_in_words() -> None:
    lines = drawn(timeline(("start", 1.0, "workflow"), ("slot", 9.0, "workflow")), 160)
    assert lines[1].startswith("slot")
    assert lines[1].endswith("queued for the provider")
