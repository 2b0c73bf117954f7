"""`vsl jobs`: what there is, newest first; with `--watch` as it changes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.client.api import Api
from cli.client.errors import CommandError, Exit
from cli.client.formatting import STATUS_STYLES, ago, cost, media, plain, seconds, took
from cli.client.screen import Screen
from cli.client.times import moment

if TYPE_CHECKING:
    from rich.console import RenderableType

_PAUSE = 2.0  # seconds between two looks of `--watch`
_ONE_LINE = 140  # columns that hold a job, its prompt included


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as given."""

    status: str | None = None
    media: str | None = None
    model: str | None = None
    since: str | None = None
    until: str | None = None
    limit: int = 20
    cursor: str | None = None
    all_users: bool = False

    def query(self, user: str | None, now: datetime) -> dict[str, str | None]:
        """The query parameters of GET /jobs. Raises CommandError for a time that is none."""
        return {
            "userId": None if self.all_users else user,
            "status": self.status,
            "mediaType": self.media,
            "modelId": self.model,
            "createdAfter": moment("--since", self.since, now) if self.since else None,
            "createdBefore": moment("--until", self.until, now) if self.until else None,
        }


def jobs_command(api: Api, wanted: Wanted, screen: Screen) -> None:
    now = datetime.now(UTC)
    jobs, cursor = _read(api, wanted, now)
    if screen.as_json:
        screen.answer({"jobs": jobs, "nextCursor": cursor})
        return
    if not jobs:
        screen.say("No such jobs.")
        return
    screen.out.print(job_table(jobs, screen.out.width))
    if cursor:
        times = _the_same_times(wanted.query(api.target.user, now))
        screen.say(f"More: with {times}--cursor {cursor}", "dim")


def _the_same_times(query: Mapping[str, str | None]) -> str:
    """A cursor is good for the very filters it came with, and 3h before now is another moment by then."""
    options = {"--since": query["createdAfter"], "--until": query["createdBefore"]}
    return "".join(f"{option} {value} " for option, value in options.items() if value)


def watch_command(api: Api, wanted: Wanted, screen: Screen) -> None:
    """The list until Ctrl-C, read again every two seconds. Raises CommandError without a terminal."""
    if screen.as_json or not screen.out.is_terminal:
        message = "--watch draws on a terminal, and there is none."
        raise CommandError("NoTerminal", message, Exit.REFUSED, "Leave it out, or use --json.")
    from rich.live import Live

    with Live(console=screen.out, auto_refresh=False) as live:
        while True:
            jobs, _ = _read(api, wanted, datetime.now(UTC))
            shown = jobs[: max(1, (screen.out.height - 1) // 2)]
            live.update(
                job_table(shown, screen.out.width) if jobs else "No such jobs yet.", refresh=True
            )
            time.sleep(_PAUSE)


def _read(api: Api, wanted: Wanted, now: datetime) -> tuple[list[dict[str, Any]], str | None]:
    """Up to the limit, over as many pages as it takes: a page may be short and not the last."""
    query = wanted.query(api.target.user, now)
    jobs: list[dict[str, Any]] = []
    cursor = wanted.cursor
    while True:
        page = api.jobs(**query, limit=min(100, wanted.limit - len(jobs)), cursor=cursor)
        jobs += page["jobs"]
        cursor = page["nextCursor"]
        if cursor is None or len(jobs) >= wanted.limit:
            return jobs, cursor


def job_table(jobs: Sequence[Mapping[str, Any]], width: int) -> "RenderableType":
    """Ids in full, to be copied; what was asked for beside them, or below where there is no room."""
    from rich.console import Group
    from rich.text import Text

    now, lines = datetime.now(UTC), []
    for job in jobs:
        lasted = seconds(took(job)) if job["completedAt"] else ""
        line = Text.assemble(
            f"{job['jobId']}  ",
            (f"{job['status']:<10}", STATUS_STYLES.get(job["status"], "")),
            f" {ago(job['createdAt'], now):>10}  {lasted:>9}  {cost(job):<7}",
            no_wrap=True,
            overflow="ellipsis",
        )
        below = "  " if width >= _ONE_LINE else "\n  "
        lines.append(line.append(below).append(_what(job), "dim"))
    return Group(*lines)


def _what(job: Mapping[str, Any]) -> str:
    """The model, and the prompt, else the file; of a failed job the reason."""
    file = media(job["result"]) if job["result"] else ""
    more = job["errorCode"] or job.get("prompt") or file
    return plain(" ".join(f"{job['modelId']}: {more}".split())) if more else str(job["modelId"])
