"""`vsl trace`: where a job's time and money went, as a waterfall."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client.commands import Job, user_command
from cli.client.formatting import dollars, seconds, size
from cli.client.jobs import print_error, print_head
from cli.client.reference import find_job

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from cli.client.api import Api
    from cli.client.screen import Screen

_STYLES = {"provider": "cyan", "workflow": "green", "webhook": "magenta", "poller": "yellow"}
_BESIDE = 48  # columns that name, time, actor and details take
_NARROWEST, _WIDEST = 12, 60
_PROVIDER = {"queue", "run"}
_MEANINGS = {"slot": "queued for the provider"}


@user_command
def trace_command(
    api: "Api",
    screen: "Screen",
    job: Job = "last",
    *,
    events: Annotated[bool, typer.Option("--events", help="Each mark and webhook, too.")] = False,
) -> None:
    """Where a job's time and money went, as a waterfall."""
    job_id = find_job(api, job)
    timeline, status = api.timeline(job_id), api.status(job_id)
    more = {name: status[name] for name in ("modelId", "estimatedTime")}
    if screen.answer({**timeline, **more}):
        return
    out = screen.out
    print_head(status, screen)
    out.print(waterfall(timeline, out.width))
    for line in summary(timeline, status):
        out.print(line, markup=False)
    print_error(status, screen)
    if events:
        out.print(_events(timeline))


def waterfall(timeline: Mapping[str, Any], width: int) -> "Table":
    """A row a segment, its bar where it lies in the whole time."""
    from rich.table import Table

    columns = max(_NARROWEST, min(_WIDEST, width - _BESIDE))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(width=columns, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    began, total = datetime.fromisoformat(timeline["createdAt"]), float(timeline["wallTime"])
    for segment in timeline["segments"]:
        before = (datetime.fromisoformat(segment["start"]) - began).total_seconds()
        style = (
            "yellow"
            if segment["name"] in {"retry", "slot"}
            else _STYLES.get(segment["actor"], "white")
        )
        table.add_row(
            segment["name"],
            seconds(segment["seconds"]),
            _bar(before, float(segment["seconds"]), total, columns, style),
            f"[{style}]{segment['actor']}[/]",
            _MEANINGS.get(segment["name"]) or _details(segment["detail"]),
        )
    return table


def summary(timeline: Mapping[str, Any], status: Mapping[str, Any]) -> list[str]:
    """Time, who woke the job, retries, money."""
    wall = float(timeline["wallTime"])
    parts = [each for each in timeline["segments"] if each["name"] in _PROVIDER]
    provider = sum(float(each["seconds"]) for each in parts)
    running = "" if timeline["completedAt"] else " so far"
    lines = [
        (
            f"time    {seconds(wall)}{running} (estimated {seconds(status['estimatedTime'])}): "
            f"{seconds(provider)} at the provider, {seconds(max(0.0, wall - provider))} around it"
        )
    ]
    lines.append(_money(timeline))
    woken = timeline["wokenBy"]
    notify = [each["seconds"] for each in timeline["segments"] if each["name"] == "notify"]
    after = f", {seconds(notify[0])} after the model's end" if notify else ""
    lines.append(f"woken   {f'by {woken}{after}' if woken else 'not yet'}")
    if timeline["retries"]:
        lines.append(f"retries {timeline['retries']}")
    return lines


def _money(timeline: Mapping[str, Any]) -> str:
    actual, held = timeline["actualCost"], timeline["heldCost"]
    paid = dollars(actual)
    if actual is None and (held is not None or not timeline["completedAt"]):
        paid = "not known yet"
    more = "" if held is None else f", {dollars(held)} held"
    return f"money   {paid}{more} (estimated {dollars(timeline['estimatedCost'])})"


def _bar(before: float, length: float, total: float, columns: int, style: str) -> "Text":
    """At least one character; never beyond the last column."""
    from rich.text import Text

    first, last = (min(1.0, at / total) if total > 0 else 0.0 for at in (before, before + length))
    start = min(columns - 1, round(first * columns))
    until = max(start + 1, round(last * columns))
    return Text(" " * start + "━" * (until - start), style=style)


def _details(detail: Mapping[str, Any]) -> str:
    parts = []
    for name, value in detail.items():
        if name == "bytes":
            parts.append(size(int(value)))
        elif name == "files":
            parts.append("1 file" if value == 1 else f"{value} files")
        elif name != "replicateId":
            parts.append(f"{name} {value}")
    return ", ".join(parts)


def _events(timeline: Mapping[str, Any]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, title="events", title_justify="left")
    began = datetime.fromisoformat(timeline["createdAt"])
    for event in timeline["events"]:
        detail = json.dumps(event["detail"], ensure_ascii=False) if event["detail"] else ""
        passed = (datetime.fromisoformat(event["at"]) - began).total_seconds()
        table.add_row(f"+{passed:.3f} s", event["name"], event["source"], Text(detail, "dim"))
    return table
