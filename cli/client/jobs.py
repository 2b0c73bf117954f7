"""`vsl jobs`, `show`, `cancel`, `delete`, `download`: jobs that are there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.client.api import ENDS, Api
from cli.client.download import download
from cli.client.errors import CommandError, Exit
from cli.client.follow import require_success
from cli.client.formatting import (
    STATUS_STYLES,
    ago,
    dollars,
    media,
    moment,
    queued,
    seconds,
    short_ids,
)
from cli.client.models import as_command
from cli.client.screen import Screen

_PASTED = 500  # characters of a parameter that still fit into a command
_LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as given; times are ISO or `3h`, `2d` before now."""

    status: str | None = None
    media: str | None = None
    model: str | None = None
    since: str | None = None
    until: str | None = None
    limit: int = 20
    cursor: str | None = None
    all_users: bool = False

    def query(self, user: str, now: datetime) -> dict[str, str | None]:
        """The query parameters of GET /jobs. Raises CommandError for a time that is none."""
        try:
            after = moment(self.since, now) if self.since else None
            before = moment(self.until, now) if self.until else None
        except ValueError as error:
            message = f"--since and --until take 3h, 2d or 2026-03-01T12:00:00Z: {error}"
            raise CommandError("InvalidTime", message, Exit.REFUSED, "Correct it.") from error
        return {
            "userId": None if self.all_users else user,
            "status": self.status,
            "mediaType": self.media,
            "modelId": self.model,
            "createdAfter": after,
            "createdBefore": before,
        }


def jobs_command(api: Api, wanted: Wanted, screen: Screen) -> None:
    jobs, cursor = _read(api, wanted, datetime.now(UTC))
    if screen.as_json:
        screen.answer({"jobs": jobs, "nextCursor": cursor})
        return
    if not jobs:
        screen.say("No such jobs.")
        return
    _print_jobs(jobs, screen)
    if cursor:
        screen.say(f"More: add --cursor {cursor}", "dim")


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


def _print_jobs(jobs: Sequence[Mapping[str, Any]], screen: Screen) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    now = datetime.now(UTC)
    ids = short_ids(str(job["jobId"]) for job in jobs)
    table = Table(
        "job", "model", "status", "age", "time", "cost", "", box=SIMPLE_HEAD, pad_edge=False
    )
    for column in table.columns[:-1]:
        column.no_wrap = True
    for job in jobs:
        style = STATUS_STYLES.get(job["status"], "")
        table.add_row(
            ids[job["jobId"]],
            job["modelId"],
            f"[{style}]{job['status']}[/]",
            ago(job["createdAt"], now),
            seconds(_took(job)) if job["completedAt"] else "",
            _cost(job),
            job["errorCode"] or (media(job["result"]) if job["result"] else ""),
        )
    screen.out.print(table)


def show_command(api: Api, job_id: str, screen: Screen) -> None:
    status = api.status(job_id, include="parameters")
    if screen.as_json:
        screen.answer(status)
        return
    out = screen.out
    style = STATUS_STYLES.get(status["status"], "")
    out.print(
        f"[bold]{status['jobId']}[/bold]  {status['modelId']}  [{style}]{status['status']}[/]"
    )
    now = datetime.now(UTC)
    took = f", took {seconds(_took(status))}" if status["completedAt"] else ""
    about = seconds(status["estimatedTime"])
    out.print(
        f"created {status['createdAt']} ({ago(status['createdAt'], now)}){took}, estimated {about}"
    )
    if place := queued(status, now):
        out.print(place)
    held = status.get("heldCost")
    more = "" if held is None else f", held {dollars(held)}"
    out.print(f"cost    {_cost(status)}, estimated {dollars(status['estimatedCost'])}{more}")
    if status["replicateId"]:
        out.print(f"prediction {status['replicateId']}", style="dim")
    if status["error"]:
        screen.line(f"{status['errorCode']}: {status['error']}", "red")
    for output in status["outputs"]:
        out.print(media(output))
        out.print(output["originalUrl"], soft_wrap=True, markup=False, style="dim")
    _print_log(status, screen)
    _where_next(api, status, screen)
    parameters = status.get("parameters") or {}
    if parameters and all(len(str(value)) <= _PASTED for value in parameters.values()):
        screen.say("Again with these settings:", "dim")
        screen.say(as_command(api, status["modelId"], parameters))


def _print_log(status: Mapping[str, Any], screen: Screen) -> None:
    lines = str(status.get("logs") or "").strip().splitlines()
    if lines:
        screen.out.print("the model's log ends with", style="dim")
    for line in lines[-_LOG_LINES:]:
        screen.line(f"  {line}", "dim")


def cancel_command(api: Api, job_id: str, screen: Screen) -> None:
    answer = api.cancel(job_id)
    if screen.as_json:
        screen.answer(answer)
    elif answer["cancelRequested"]:
        screen.say(
            f"The job {job_id} is being stopped; `{api.target.command(f'watch {job_id}')}` waits."
        )
    else:
        screen.say(f"The job {job_id} had ended already: {answer['status']}.")


def delete_command(api: Api, job_id: str, screen: Screen) -> None:
    api.delete(job_id)
    if screen.as_json:
        screen.answer({"jobId": job_id, "deleted": True})
    else:
        screen.say(f"The job {job_id} and its files are gone.")


def download_command(api: Api, job_id: str, folder: Path, screen: Screen) -> None:
    """Raises CommandError for a job without files."""
    status = api.status(job_id)
    if status["status"] not in ENDS:
        message = f"The job {job_id} is still {status['status']}."
        hint = f"`{api.target.command(f'watch {job_id} -o {folder}')}` waits for it and downloads."
        raise CommandError("StillRunning", message, Exit.STILL_RUNNING, hint)
    require_success(status)
    files = download_shown(api, status, folder, screen)
    if screen.as_json:
        screen.answer({"jobId": job_id, "files": files})
    else:
        print_files(api, status, files, screen)


def download_shown(
    api: Api, status: Mapping[str, Any], folder: Path, screen: Screen
) -> list[dict[str, Any]]:
    """Download, with a progress bar on a terminal."""
    if screen.as_json or not screen.err.is_terminal:
        return download(api, status, folder)
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    total = sum(int(output["fileSize"]) for output in status["outputs"])
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=screen.err, transient=True) as progress:
        task = progress.add_task("", total=total)
        return download(api, status, folder, lambda piece: progress.advance(task, piece))


def print_files(
    api: Api, status: Mapping[str, Any], files: Sequence[Mapping[str, Any]], screen: Screen
) -> None:
    """What came of the job: on this machine if it was fetched, else where it lies."""
    for number, output in enumerate(status["outputs"]):
        where = files[number]["file"] if files else output["originalUrl"]
        screen.out.print(f"[green]✓[/green] {media(output)}")
        screen.out.print(f"  {where}", soft_wrap=True, markup=False)
    screen.say(f"took {seconds(_took(status))}, cost {_cost(status)}", "dim")
    if not files:
        _where_next(api, status, screen)


def _where_next(api: Api, status: Mapping[str, Any], screen: Screen) -> None:
    words = {"succeeded": "download", "failed": "trace", "canceled": "trace"}
    word = words.get(status["status"], "watch")
    screen.say(api.target.command(f"{word} {status['jobId']}"), "dim")


def _took(status: Mapping[str, Any]) -> float:
    ends = datetime.fromisoformat(status["completedAt"])
    return (ends - datetime.fromisoformat(status["createdAt"])).total_seconds()


def _cost(status: Mapping[str, Any]) -> str:
    """What it cost; before the end the estimate."""
    if status["actualCost"] is not None:
        return dollars(status["actualCost"])
    return "not known" if status["status"] in ENDS else f"~{dollars(status['estimatedCost'])}"
