"""`vsl jobs`: what there is, newest first; with `--watch` as it changes."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cli.client.commands import MODELS, user_command
from cli.client.errors import CommandError, Exit
from cli.client.formatting import STATUS_STYLES, ago, cost, media, plain, seconds, took
from cli.client.times import moment
from vsl.domain.jobs.job import JobStatus, MediaType

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cli.client.api import Api
    from cli.client.screen import Screen

_PAUSE = 2.0  # seconds between two looks of `--watch`
_ONE_LINE = 140  # columns that hold a job, its prompt included


@user_command
def jobs_command(  # noqa: PLR0913 - one argument an option
    api: "Api",
    screen: "Screen",
    *,
    status: Annotated[JobStatus | None, typer.Option(help="Only these.")] = None,
    media: Annotated[MediaType | None, typer.Option(help="Only these.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Only this model's.", autocompletion=MODELS)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="3h, 2d, today, yesterday, a day or an ISO time.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="The same.")] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="At most so many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on where a list ended.")] = None,
    all_users: Annotated[bool, typer.Option("--all-users", help="Not only one user's.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C, as they change.")] = False,
) -> None:
    """List jobs, newest first."""

    def read() -> tuple[list[dict[str, Any]], str | None, str]:
        now = datetime.now(UTC)
        after = moment("--since", since, now) if since else None
        before = moment("--until", until, now) if until else None
        jobs, rest = api.many_jobs(
            limit,
            cursor,
            userId=None if all_users else api.target.user,
            status=status,
            mediaType=media,
            modelId=model,
            createdAfter=after,
            createdBefore=before,
        )
        # A cursor is good for the very filters it came with, and 3h before now is another moment by then.
        times = f"--since {after} " if after else ""
        return jobs, rest, times + (f"--until {before} " if before else "")

    if watch:
        _watch(lambda: read()[0], screen)
    jobs, rest, times = read()
    if screen.answer({"jobs": jobs, "nextCursor": rest}):
        return
    if not jobs:
        screen.say("No such jobs.")
        return
    screen.out.print(job_table(jobs, screen.out.width))
    if rest:
        screen.say(f"More: with {times}--cursor {rest}", "dim")


def _watch(read: Callable[[], list[dict[str, Any]]], screen: "Screen") -> NoReturn:
    """The list until Ctrl-C, read again every two seconds. Raises CommandError without a terminal."""
    if screen.as_json or not screen.out.is_terminal:
        message = "--watch draws on a terminal, and there is none."
        raise CommandError("NoTerminal", message, Exit.REFUSED, "Leave it out, or use --json.")
    from rich.live import Live

    with Live(console=screen.out, auto_refresh=False) as live:
        while True:
            jobs = read()
            shown = jobs[: max(1, (screen.out.height - 1) // 2)]
            live.update(
                job_table(shown, screen.out.width) if jobs else "No such jobs yet.", refresh=True
            )
            time.sleep(_PAUSE)


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
