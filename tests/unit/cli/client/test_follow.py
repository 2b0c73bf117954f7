"""What a person sees of a job that is followed through a pipe, and on a terminal while it is queued."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console
from rich.spinner import Spinner

from cli.client import follow as module
from cli.client.follow import follow
from cli.client.formatting import queued
from cli.client.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.client.api import Api

NOW = datetime.now(UTC)


def status(name: str, position: int | None = None, starts_in: float = 0) -> dict[str, Any]:
    starts = (NOW + timedelta(seconds=starts_in)).isoformat()
    return {
        "jobId": "job",
        "status": name,
        "createdAt": NOW.isoformat(),
        "completedAt": NOW.isoformat() if name == "succeeded" else None,
        "estimatedTime": 2.0,
        "estimatedCost": "0.003",
        "progress": None,
        "queuePosition": position,
        "estimatedStart": None if position is None else starts,
    }


class Answers:
    """An API that gives these answers, one after another."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers: Iterator[dict[str, Any]] = iter(answers)

    def status(self, _job_id: str, **_asked: object) -> dict[str, Any]:
        return next(self.answers)


@pytest.mark.parametrize(
    ("left", "start"),
    [(-3, "a moment"), (0.4, "a moment"), (8, "about 8.0 s"), (150, "about 2 min 30 s")],
)
def test_the_place_in_words(left: float, start: str) -> None:
    told = queued(status("pending", 12, left), NOW)
    assert told == f"queued for the provider, position 12, starts in {start}"
    band = {
        "estimatedStartEarliest": (NOW + timedelta(seconds=left - 2)).isoformat(),
        "estimatedStartLatest": (NOW + timedelta(seconds=left + 60)).isoformat(),
    }
    told = queued({**status("pending", 12, left), **band}, NOW)
    assert told is not None
    assert ("(" in told) == (left >= 1), told
    if left == 150:
        assert told.endswith("in about 2 min 30 s (2 min 28 s to 3 min 30 s)")
    assert queued(status("pending"), NOW) is None
    older = {name: value for name, value in status("pending").items() if "ue" not in name}
    assert queued(older, NOW) is None, "an API of another version says nothing"


def test_a_job_that_is_queued_has_a_line_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    answers = Answers(
        status("pending"),
        status("pending", 3, 3600),
        status("pending", 2, 1800),
        status("pending"),
        status("processing"),
        status("succeeded"),
    )
    follow(cast("Api", answers), "job", Screen())
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["pending", "pending", "processing", "succeeded"]
    assert "queued for the provider, position 3, starts in about" in lines[1]


def test_the_line_of_a_terminal_says_where_the_job_stands() -> None:
    console = Console(width=120, color_system=None)
    drawn = []
    for each in (status("pending", 3, 3600), status("processing")):
        with console.capture() as captured:
            console.print(module._line(module._Course(each), Spinner("dots")))
        drawn.append(captured.get())
    assert "queued for the provider, position 3, starts in about" in drawn[0]
    assert "of about 2.0 s" in drawn[1]
