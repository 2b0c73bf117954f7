"""`vsl demo`: one image, one video made from it, and one piece of music, through the public API alone."""

import json
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from cli.client.api import Api
from cli.client.download import download
from cli.client.errors import CommandError, Exit
from cli.client.follow import require_success
from cli.client.formatting import describe
from cli.client.target import resolve
from devstack.commands import failures_shown, start_detached
from devstack.paths import StateFolder, program
from devstack.stack import running_stack, stop_recorded
from devstack.supervisor import UpOptions
from vsl.domain.jobs.job import TERMINAL

_USER = "me"
_JOB_SECONDS = 120.0
_WIDE = 125  # columns that a file's path needs beside the rest
_MARKS = {"succeeded": "[green]✓[/green]", "failed": "[red]✗[/red]", "waiting": " "}
_ASSET = ("contentType", "fileSize", "sha256", "width", "height", "duration", "fps", "codec")


@dataclass(slots=True)
class Job:
    """One job of the demo and what is known of it so far. Times in seconds, sizes in bytes."""

    media_type: str
    model_id: str
    parameters: dict[str, Any]
    status: str = "waiting"
    job_id: str = ""
    began: float = 0.0
    seconds: float = 0.0
    model_seconds: float | None = None
    asset: dict[str, Any] = field(default_factory=dict)
    file: Path | None = None
    error: str | None = None

    @property
    def overhead(self) -> float | None:
        """Time beyond the model's own, from the request to the answer that says succeeded."""
        return None if self.model_seconds is None else max(0.0, self.seconds - self.model_seconds)

    def document(self) -> dict[str, Any]:
        return {
            "jobId": self.job_id,
            "mediaType": self.media_type,
            "modelId": self.model_id,
            "status": self.status,
            "seconds": round(self.seconds, 2),
            "modelSeconds": self.model_seconds,
            "overheadSeconds": None if self.overhead is None else round(self.overhead, 2),
            **{name: self.asset.get(name) for name in _ASSET},
            "file": None if self.file is None else str(self.file),
            "error": self.error,
        }

    def cells(self) -> tuple[str, ...]:
        """A row of the report; the last cell is the file."""
        if self.file is None:
            failed = f"[red]{self.status}[/red]"
            return self.media_type, self.model_id, "", "", "", failed, self.error or ""
        here = Path.cwd()
        shown = self.file.relative_to(here) if self.file.is_relative_to(here) else self.file
        return (
            self.media_type,
            self.model_id,
            f"{self.seconds:.1f} s",
            "" if self.overhead is None else f"{self.overhead:.1f} s",
            f"{self.asset['fileSize'] / 1024:,.0f} KiB",
            describe(self.asset),
            str(shown),
        )


def demo_command(
    state: StateFolder, output: Path, *, speed: float, keep: bool, console: Console
) -> int:
    """Bring the stack up, make the media, take the stack down; 0 when all three arrived whole.

    A stack that ran before is used as it is and left running. A quiet console (`--json`) gets one JSON
    object alone, on stdout.
    """
    began = time.monotonic()
    stack = running_stack(state)
    keep = keep or stack is not None
    jobs = _jobs()
    try:
        if stack is None:
            with failures_shown():
                stack = start_detached(
                    UpOptions(state=state, speed=speed, ports={"api": 0}), console
                )
        up_seconds = time.monotonic() - began
        with Api(resolve(state.root, None, _USER)) as api, ThreadPoolExecutor(3) as pool:
            running = pool.submit(_make, api, jobs, output.resolve(), pool)
            _show(jobs, running, console)
            running.result()
    finally:
        if not keep:
            stop_recorded(state)
    succeeded = all(job.file is not None for job in jobs)
    seconds = time.monotonic() - began
    if console.quiet:
        report = {
            "succeeded": succeeded,
            "seconds": round(seconds, 2),
            "upSeconds": round(up_seconds, 2),
            "jobs": [job.document() for job in jobs],
        }
        print(json.dumps(report))
    _print_report(jobs, console)
    console.print(
        f"Overhead is what is left of the time without the model's own. "
        f"Stack ready after {up_seconds:.1f} s, everything after {seconds:.1f} s.",
        style="dim",
    )
    _print_where_next(stack if keep else None, console)
    return 0 if succeeded else 1


def _jobs() -> tuple[Job, Job, Job]:
    image = "A lighthouse on a cliff at sunset, oil painting"
    return (
        Job("image", "flux-schnell", {"prompt": image, "width": 1344, "height": 768}),
        Job("video", "stability-video", {"fps": 12, "num_frames": 25}),
        Job("audio", "musicgen", {"prompt": "Warm lo-fi piano, soft vinyl crackle", "duration": 8}),
    )


def _make(api: Api, jobs: tuple[Job, Job, Job], output: Path, pool: ThreadPoolExecutor) -> None:
    """The image first, which also warms the functions; then the video made from it, beside the music."""
    image, video, audio = jobs
    _run(api, image, output)
    music = pool.submit(_run, api, audio, output)
    if image.file is None:
        video.status, video.error = "skipped", "there is no image to start from"
    else:
        video.parameters["image"] = image.asset["originalUrl"]
        _run(api, video, output)
    music.result()


def _run(api: Api, job: Job, output: Path) -> None:
    """Submit, wait, download. An error is kept in the job."""
    job.began = time.monotonic()
    try:
        status = _finished(api, job)
        job.seconds = time.monotonic() - job.began
        segments = api.timeline(job.job_id)["segments"]
        job.model_seconds = sum(each["seconds"] for each in segments if each["name"] == "run")
        (fetched,) = download(api, status, output)
        file = Path(fetched["file"])
        job.asset = status["result"]
        job.file = file.rename(output / f"{job.media_type}-{job.model_id}{file.suffix}")
    except CommandError as error:
        job.seconds = time.monotonic() - job.began
        job.status, job.error = "failed", error.message


def _finished(api: Api, job: Job) -> Mapping[str, Any]:
    """The status at the end of the job. Raises CommandError."""
    request = {"userId": _USER, "modelId": job.model_id, "parameters": job.parameters}
    job.job_id = api.generate(request, str(uuid.uuid4()))["jobId"]
    while time.monotonic() < job.began + _JOB_SECONDS:
        status = api.status(job.job_id)
        job.status = status["status"]
        if job.status in TERMINAL:
            require_success(status)
            return status
        time.sleep(0.15)
    message = f"The job was still {job.status} after {_JOB_SECONDS:g} s."
    raise CommandError("StillRunning", message, Exit.STILL_RUNNING)


def _show(jobs: tuple[Job, ...], running: Future[None], console: Console) -> None:
    """Live progress until everything is done; without a terminal, a line for each change."""
    shown: dict[str, str] = {}
    spinner = Spinner("dots")
    with Live(console=console, refresh_per_second=10, transient=True) as live:
        done = False
        while not done:
            done = running.done()
            if console.is_terminal:
                live.update(_progress(jobs, spinner))
            for job in () if console.is_terminal else jobs:
                if shown.get(job.model_id, "waiting") != job.status:
                    shown[job.model_id] = job.status
                    console.print(f"  {job.media_type:<6}{job.model_id:<18}{job.status}")
            time.sleep(0.1)


def _progress(jobs: tuple[Job, ...], spinner: Spinner) -> Table:
    table = Table(box=None, show_header=False)
    for job in jobs:
        passed = job.seconds or (time.monotonic() - job.began if job.began else 0.0)
        mark = _MARKS.get(job.status, spinner)
        table.add_row(mark, job.media_type, job.model_id, job.status, f"{passed:.1f} s")
    return table


def _print_report(jobs: tuple[Job, ...], console: Console) -> None:
    wide = console.width >= _WIDE
    columns = ["job", "model", "time", "overhead", "size", "what it is", "file"]
    table = Table(*(columns if wide else columns[:-1]), box=SIMPLE_HEAD)
    for job in jobs:
        table.add_row(*(job.cells() if wide else job.cells()[:-1]))
    console.print(table)
    for job in () if wide else jobs:
        console.print(f"  {job.media_type:<6} {job.cells()[-1]}", soft_wrap=True, highlight=False)


def _print_where_next(stack: Mapping[str, Any] | None, console: Console) -> None:
    console.print("\n[bold]Where to look next[/bold]")
    if stack is None:
        console.print("  make up                keep a stack running and make your own")
        console.print(f"  {program()} demo --keep   the same as now, and leave it running")
    else:
        console.print(f"  curl -s {stack['apiUrl']}/models", highlight=False)
        console.print(f"  {program()} logs finalize_job   what a step has logged")
        console.print(f"  {program()} down                stop the stack")
    console.print("  docs/api.md, docs/architecture.md, statemachines/README.md")
