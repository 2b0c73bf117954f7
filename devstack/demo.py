"""`vsl demo`: one image, one video made from it, and one piece of music, through the public API alone."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from devstack.commands import failures_shown, start_detached
from devstack.paths import StateFolder, program
from devstack.stack import running_stack, stop_recorded
from devstack.supervisor import UpOptions

_POLL_SECONDS = 0.15
_JOB_SECONDS = 120.0
_WIDE = 125  # columns that a file's path needs beside the rest
_EXTENSIONS = {
    "image/webp": "webp",
    "image/png": "png",
    "image/jpeg": "jpg",
    "video/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
}


class DemoFailedError(RuntimeError):
    """A job did not end as it should; the message is what the API said."""


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
        names = ("contentType", "fileSize", "sha256", "width", "height", "duration", "fps", "codec")
        return {
            "jobId": self.job_id,
            "mediaType": self.media_type,
            "modelId": self.model_id,
            "status": self.status,
            "seconds": round(self.seconds, 2),
            "modelSeconds": self.model_seconds,
            "overheadSeconds": None if self.overhead is None else round(self.overhead, 2),
            **{name: self.asset.get(name) for name in names},
            "file": None if self.file is None else str(self.file),
            "error": self.error,
        }


def demo_command(
    state: StateFolder, output: Path, *, speed: float, keep: bool, as_json: bool, console: Console
) -> int:
    """Bring the stack up, make the media, take the stack down; 0 when all three arrived whole.

    A stack that ran before is used as it is and left running.
    """
    began = time.monotonic()
    stack = running_stack(state)
    keep = keep or stack is not None
    try:
        if stack is None:
            with failures_shown(console):
                stack = start_detached(UpOptions(state=state, speed=speed), console, quiet=as_json)
        up_seconds = time.monotonic() - began
        jobs = _jobs()
        _make(stack, jobs, output.resolve(), console, quiet=as_json)
    finally:
        if not keep:
            stop_recorded(state)
    succeeded = all(job.file is not None for job in jobs)
    seconds = time.monotonic() - began
    if as_json:
        report = {
            "succeeded": succeeded,
            "seconds": round(seconds, 2),
            "upSeconds": round(up_seconds, 2),
            "jobs": [job.document() for job in jobs],
        }
        print(json.dumps(report))
    else:
        _print_report(jobs, seconds, up_seconds, stack if keep else None, console)
    return 0 if succeeded else 1


def _jobs() -> tuple[Job, Job, Job]:
    image = "A lighthouse on a cliff at sunset, oil painting"
    return (
        Job("image", "flux-schnell", {"prompt": image, "width": 1344, "height": 768}),
        Job("video", "stability-video", {"fps": 12, "num_frames": 25}),
        Job("audio", "musicgen", {"prompt": "Warm lo-fi piano, soft vinyl crackle", "duration": 8}),
    )


def _make(
    stack: Mapping[str, Any],
    jobs: tuple[Job, Job, Job],
    output: Path,
    console: Console,
    *,
    quiet: bool,
) -> None:
    """The image first, which also warms the functions; then the video made from it, beside the music."""
    output.mkdir(parents=True, exist_ok=True)
    image, video, audio = jobs
    with httpx.Client(timeout=35.0) as client, ThreadPoolExecutor(2) as pool:
        maker = _Maker(client, stack, output)

        def everything() -> None:
            maker.make(image)
            music = pool.submit(maker.make, audio)
            if image.file is None:
                video.status, video.error = "skipped", "there is no image to start from"
            else:
                video.parameters["image"] = image.asset["originalUrl"]
                maker.make(video)
            music.result()

        running = pool.submit(everything)
        _show(jobs, running, console, quiet=quiet)
        running.result()


class _Maker:
    """Runs jobs to their end over HTTP. Safe to use from several threads."""

    def __init__(self, client: httpx.Client, stack: Mapping[str, Any], output: Path) -> None:
        self._client = client
        self._stack = stack
        self._output = output

    def make(self, job: Job) -> None:
        """Post, follow, download; what goes wrong is kept in the job."""
        job.began = time.monotonic()
        try:
            answer = self._finished(job)
            job.seconds = time.monotonic() - job.began
            job.model_seconds = self._model_seconds(str(answer["replicateId"]))
            job.asset = answer["result"]
            job.file = self._download(job)
        except (httpx.HTTPError, DemoFailedError) as error:
            job.seconds = time.monotonic() - job.began
            job.status, job.error = "failed", str(error)

    def _finished(self, job: Job) -> dict[str, Any]:
        request = {"userId": "demo", "modelId": job.model_id, "parameters": job.parameters}
        accepted = self._client.post(f"{self._stack['apiUrl']}/generate-media", json=request)
        if accepted.status_code != httpx.codes.ACCEPTED:
            raise DemoFailedError(f"{accepted.status_code}: {accepted.text}")
        job.job_id = accepted.json()["jobId"]
        address = f"{self._stack['apiUrl']}/status/{job.job_id}"
        while time.monotonic() < job.began + _JOB_SECONDS:
            answer = self._client.get(address)
            if answer.status_code == httpx.codes.OK:
                found: dict[str, Any] = answer.json()
                job.status = found["status"]
                if job.status == "succeeded":
                    return found
                if job.status in {"failed", "canceled"}:
                    raise DemoFailedError(f"{found['errorCode']}: {found['error']}")
            time.sleep(_POLL_SECONDS)
        raise DemoFailedError(f"The job was still {job.status} after {_JOB_SECONDS:g} s.")

    def _model_seconds(self, replicate_id: str) -> float | None:
        prediction = self._client.get(
            f"{self._stack['replicateUrl']}/v1/predictions/{replicate_id}",
            headers={"Authorization": f"Bearer {self._stack['replicateToken']}"},
        )
        seconds = prediction.raise_for_status().json().get("metrics", {}).get("predict_time")
        return None if seconds is None else float(seconds)

    def _download(self, job: Job) -> Path:
        media = self._client.get(job.asset["originalUrl"]).raise_for_status()
        if hashlib.sha256(media.content).hexdigest() != job.asset["sha256"]:
            raise DemoFailedError("The downloaded file is not the one that was stored.")
        extension = _EXTENSIONS.get(job.asset["contentType"], "bin")
        file = self._output / f"{job.media_type}-{job.model_id}.{extension}"
        file.write_bytes(media.content)
        return file


def _show(jobs: tuple[Job, ...], running: Future[None], console: Console, *, quiet: bool) -> None:
    """Live progress until everything is done; without a terminal, a line a change."""
    if quiet:
        return
    if not console.is_terminal:
        _print_changes(jobs, running, console)
        return
    spinner = Spinner("dots")
    with Live(console=console, refresh_per_second=10, transient=True) as live:
        while not running.done():
            live.update(_progress(jobs, spinner))
            time.sleep(0.1)


def _print_changes(jobs: tuple[Job, ...], running: Future[None], console: Console) -> None:
    shown: dict[str, str] = {}
    while True:
        done = running.done()
        for job in jobs:
            if shown.get(job.model_id, "waiting") != job.status:
                shown[job.model_id] = job.status
                console.print(f"  {job.media_type:<6}{job.model_id:<18}{job.status}")
        if done:
            return
        threading.Event().wait(0.1)


def _progress(jobs: tuple[Job, ...], spinner: Spinner) -> Table:
    table = Table(box=None, show_header=False)
    marks: dict[str, Callable[[], Any]] = {
        "succeeded": lambda: "[green]✓[/green]",
        "failed": lambda: "[red]✗[/red]",
        "waiting": lambda: " ",
    }
    for job in jobs:
        mark = marks.get(job.status, lambda: spinner)()
        passed = job.seconds or (time.monotonic() - job.began if job.began else 0.0)
        table.add_row(mark, job.media_type, job.model_id, job.status, f"{passed:.1f} s")
    return table


def _print_report(
    jobs: tuple[Job, ...],
    seconds: float,
    up_seconds: float,
    stack: Mapping[str, Any] | None,
    console: Console,
) -> None:
    wide = console.width >= _WIDE
    columns = [
        "job",
        "model",
        "time",
        "overhead",
        "size",
        "what it is",
        *(["file"] if wide else []),
    ]
    table = Table(*columns, box=SIMPLE_HEAD)
    for job in jobs:
        cells = _cells(job)
        table.add_row(*(cells if wide else cells[:-1]))
    console.print(table)
    for job in () if wide else jobs:
        console.print(f"  {job.media_type:<6} {_cells(job)[-1]}", soft_wrap=True, highlight=False)
    console.print(
        f"Overhead is what is left of the time without the model's own. "
        f"Stack ready after {up_seconds:.1f} s, everything after {seconds:.1f} s.",
        style="dim",
    )
    _print_where_next(stack, console)


def _cells(job: Job) -> list[str]:
    if job.file is None:
        return [
            job.media_type,
            job.model_id,
            "",
            "",
            "",
            f"[red]{job.status}[/red]",
            job.error or "",
        ]
    return [
        job.media_type,
        job.model_id,
        f"{job.seconds:.1f} s",
        "" if job.overhead is None else f"{job.overhead:.1f} s",
        f"{job.asset['fileSize'] / 1024:,.0f} KiB",
        _description(job.asset),
        _shortened(job.file),
    ]


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


def _description(asset: Mapping[str, Any]) -> str:
    parts = []
    if asset.get("width"):
        parts.append(f"{asset['width']} x {asset['height']}")
    if asset.get("duration"):
        parts.append(f"{asset['duration']:.1f} s")
    if asset.get("fps"):
        parts.append(f"{asset['fps']:g} fps")
    parts.append(str(asset.get("codec") or asset["contentType"]))
    return ", ".join(parts)


def _shortened(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)
