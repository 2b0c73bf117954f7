"""A job until its end, with progress on a terminal. Leaving does not stop the job."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.client.errors import CommandError, Exit
from cli.client.formatting import STATUS_STYLES, dollars, queued, seconds
from vsl.domain.jobs.job import TERMINAL

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable
    from rich.spinner import Spinner

    from cli.client.api import Api
    from cli.client.screen import Screen

_PAUSE = 0.5  # seconds between two questions where the API does not hold its answers back
_QUIET, _SHOWN = 20, 2  # seconds an answer may be held back; progress is to move where it is shown
_BAR = 24


@dataclass
class _Course:
    """What is known so far; drawn several times a second, also between two answers."""

    status: Mapping[str, Any]

    @property
    def elapsed(self) -> float:
        until = self.status["completedAt"]
        now = datetime.fromisoformat(until) if until else datetime.now(UTC)
        return max(0.0, (now - datetime.fromisoformat(self.status["createdAt"])).total_seconds())


def follow(
    api: "Api", job_id: str, screen: "Screen", *, timeout: float | None = None
) -> Mapping[str, Any]:
    """The job's last status. Raises CommandError after `timeout` seconds, and on Ctrl-C."""
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        course = _Course(api.status(job_id))
        if screen.as_json or not screen.err.is_terminal:
            _print_changes(api, course, screen, deadline)
        else:
            _draw(api, course, screen, deadline)
    except KeyboardInterrupt:
        message = f"The job {job_id} goes on without you."
        raise CommandError(
            "Interrupted", message, Exit.INTERRUPTED, _come_back(api, job_id), jobId=job_id
        ) from None
    return course.status


def require_success(status: Mapping[str, Any]) -> None:
    """Raises CommandError for a job that has ended without files."""
    if status["status"] == "succeeded":
        return
    code = status["errorCode"] or "JobCanceled"
    ended = "was canceled" if status["status"] == "canceled" else status["status"]
    message = f"The job {status['jobId']} {ended}: {status['error'] or code}"
    hint = "docs/api.md says for each code whether the same request would help."
    raise CommandError(code, message, Exit.FAILED, hint, job=dict(status))


def _come_back(api: "Api", job_id: str) -> str:
    watch, cancel = (api.target.command(f"{word} {job_id}") for word in ("watch", "cancel"))
    return f"`{watch}` comes back to it, `{cancel}` stops it."


def _wait(api: "Api", course: _Course, longest: int, deadline: float | None) -> None:
    """For the next answer. Raises CommandError when the deadline has passed without the end."""
    asked = time.monotonic()
    left = float("inf") if deadline is None else deadline - asked
    job_id = str(course.status["jobId"])
    if left <= 0:
        message = f"The job {job_id} is still {course.status['status']}."
        raise CommandError(
            "StillRunning",
            message,
            Exit.STILL_RUNNING,
            _come_back(api, job_id),
            job=dict(course.status),
        )
    before = course.status["status"]
    course.status = api.status(job_id, wait=max(0, int(min(longest, left))))
    passed = time.monotonic() - asked
    if course.status["status"] == before and passed < _PAUSE:
        time.sleep(max(0.0, min(_PAUSE - passed, left - passed)))


def _print_changes(api: "Api", course: _Course, screen: "Screen", deadline: float | None) -> None:
    """A line whenever the status changes, and when the job is queued: for logs and pipes."""
    shown = ("", False)
    while True:
        status, place = course.status["status"], queued(course.status, datetime.now(UTC))
        if shown not in {(status, True), (status, place is not None)}:
            line = f"  {status:<11}{seconds(course.elapsed)}" + (f"  {place}" if place else "")
            screen.say(line, STATUS_STYLES.get(status, ""))
            shown = (status, place is not None)
        if status in TERMINAL:
            return
        _wait(api, course, _QUIET, deadline)


def _draw(api: "Api", course: _Course, screen: "Screen", deadline: float | None) -> None:
    from rich.live import Live
    from rich.spinner import Spinner

    spinner = Spinner("dots")
    with Live(
        console=screen.err,
        get_renderable=lambda: _line(course, spinner),
        refresh_per_second=10,
        transient=True,
    ):
        while course.status["status"] not in TERMINAL:
            _wait(api, course, _SHOWN, deadline)


def _line(course: _Course, spinner: "Spinner") -> "ConsoleRenderable":
    """⠋ processing ━━━━━━━━ 1.2 s of about 2.0 s · $0.003"""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    status = course.status
    progress = status.get("progress")
    place = queued(status, datetime.now(UTC))
    took = f"{seconds(course.elapsed)} of about {seconds(status['estimatedTime'])}"
    table = Table.grid(padding=(0, 1))
    table.add_row(
        spinner,
        f"[{STATUS_STYLES.get(status['status'], '')}]{status['status']:<10}[/]",
        ProgressBar(1.0, progress or 0.0, width=_BAR, pulse=progress is None),
        place or took,
        f"[dim]· {dollars(status['estimatedCost'])}[/dim]",
    )
    return table
