"""`vsl show`, `cancel`, `delete`, `download`: a job that is there already."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client.commands import Job, user_command
from cli.client.errors import CommandError, Exit
from cli.client.follow import require_success
from cli.client.formatting import (
    STATUS_STYLES,
    ago,
    cost,
    dollars,
    media,
    queued,
    seconds,
    took,
)
from cli.client.models import as_command
from cli.client.reference import find_job
from vsl.domain.jobs.job import TERMINAL

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen

_PASTED = 500  # characters of a parameter that still fit into a command
_LOG_LINES = 5


@user_command
def show_command(api: "Api", screen: "Screen", job: Job = "last") -> None:
    """One job: how it stands, what it cost, where its files are."""
    status = api.status(find_job(api, job), parameters=True)
    if screen.answer(status):
        return
    out = screen.out
    print_head(status, screen)
    now = datetime.now(UTC)
    lasted = f", took {seconds(took(status))}" if status["completedAt"] else ""
    about = seconds(status["estimatedTime"])
    out.print(
        f"created {status['createdAt']} ({ago(status['createdAt'], now)}){lasted}, estimated {about}"
    )
    if place := queued(status, now):
        out.print(place)
    held = status.get("heldCost")
    more = "" if held is None else f", held {dollars(held)}"
    out.print(f"cost    {cost(status)}, estimated {dollars(status['estimatedCost'])}{more}")
    if status["replicateId"]:
        out.print(f"prediction {status['replicateId']}", style="dim")
    print_error(status, screen)
    for output in status["outputs"]:
        out.print(media(output))
        out.print(output["originalUrl"], soft_wrap=True, markup=False, style="dim")
    _print_log(status, screen)
    _where_next(api, status, screen)
    parameters = status.get("parameters") or {}
    if parameters and all(len(str(value)) <= _PASTED for value in parameters.values()):
        screen.say("Again with these settings:", "dim")
        screen.say(as_command(api, status["modelId"], parameters))


def print_head(status: Mapping[str, Any], screen: "Screen") -> None:
    words = f"[{STATUS_STYLES.get(status['status'], '')}]{status['status']}[/]"
    screen.out.print(f"[bold]{status['jobId']}[/bold]  {status['modelId']}  {words}")


def print_error(status: Mapping[str, Any], screen: "Screen") -> None:
    if status["error"]:
        screen.line(f"{status['errorCode']}: {status['error']}", "red")
        if status.get("errorDetail"):
            screen.line(f"the provider: {status['errorDetail']}")


def _print_log(status: Mapping[str, Any], screen: "Screen") -> None:
    lines = str(status.get("logs") or "").strip().splitlines()
    if lines:
        screen.out.print("the model's log ends with", style="dim")
    for line in lines[-_LOG_LINES:]:
        screen.line(f"  {line}", "dim")


@user_command
def cancel_command(api: "Api", screen: "Screen", job: Job) -> None:
    """Stop a job, at the provider too."""
    job_id = find_job(api, job)
    answer = api.cancel(job_id)
    screen.answer(answer)
    if answer["cancelRequested"]:
        screen.say(
            f"The job {job_id} is being stopped; `{api.target.command(f'watch {job_id}')}` waits."
        )
    else:
        screen.say(f"The job {job_id} had ended already: {answer['status']}.")


@user_command
def delete_command(
    api: "Api",
    screen: "Screen",
    job: Job,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a job that has ended, and its files. What it cost stays on record."""
    job_id = find_job(api, job)
    if not yes:
        screen.confirm(f"Remove the job {job_id} and its files for good?")
    api.delete(job_id)
    screen.answer({"jobId": job_id, "deleted": True})
    screen.say(f"The job {job_id} and its files are gone.")


@user_command
def download_command(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to.")] = Path(),
) -> None:
    """Fetch a job's files; goes on where an earlier download stopped, and checks what came."""
    job_id = find_job(api, job)
    status = api.status(job_id)
    if status["status"] not in TERMINAL:
        message = f"The job {job_id} is still {status['status']}."
        hint = f"`{api.target.command(f'watch {job_id} -o {output}')}` waits for it and downloads."
        raise CommandError("StillRunning", message, Exit.STILL_RUNNING, hint)
    require_success(status)
    files = download_shown(api, status, output, screen)
    if not screen.answer({"jobId": job_id, "files": files}):
        print_files(api, status, files, screen)


def download_shown(
    api: "Api", status: Mapping[str, Any], folder: Path, screen: "Screen"
) -> list[dict[str, Any]]:
    """Download, with a progress bar on a terminal."""
    from cli.client.download import download

    if screen.as_json or not screen.err.is_terminal:
        return download(api, status, folder)
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    total = sum(int(output["fileSize"]) for output in status["outputs"])
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=screen.err, transient=True) as progress:
        task = progress.add_task("", total=total)
        return download(api, status, folder, lambda piece: progress.advance(task, piece))


def print_files(
    api: "Api", status: Mapping[str, Any], files: Sequence[Mapping[str, Any]], screen: "Screen"
) -> None:
    """What came of the job: on this machine if it was fetched, else where it lies."""
    for number, output in enumerate(status["outputs"]):
        where = files[number]["file"] if files else output["originalUrl"]
        screen.out.print(f"[green]✓[/green] {media(output)}")
        screen.out.print(f"  {where}", soft_wrap=True, markup=False)
    screen.say(f"took {seconds(took(status))}, cost {cost(status)}", "dim")
    if not files:
        _where_next(api, status, screen)


def _where_next(api: "Api", status: Mapping[str, Any], screen: "Screen") -> None:
    words = {"succeeded": "download", "failed": "trace", "canceled": "trace"}
    word = words.get(status["status"], "watch")
    screen.say(api.target.command(f"{word} {status['jobId']}"), "dim")
