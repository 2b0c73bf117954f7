"""`python -m tests.chaos`: start a stack, take it apart while it works, and see that nothing is lost."""

import json
import tempfile
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import tests.conftest  # noqa: F401 - the same sealed environment as every test
from tests.chaos.run import Report, run
from tests.support.stack import Stack, vsl

# A short settle time keeps the run short; the limit must not be what slows it.
OPTIONS = (
    *("--speed", "0.02"),
    *("--parameter", "SubmissionGraceSeconds=10"),
    *("--parameter", "RateLimitPerHour=100000"),
    *("--parameter", "ConcurrentJobs=100000"),
)


def main(
    jobs: Annotated[int, typer.Option(help="How many jobs.")] = 200,
    seed: Annotated[int, typer.Option(help="0 takes one from the clock.")] = 0,
    patience: Annotated[float, typer.Option(help="Seconds a single job may take.")] = 240,
    kill_every: Annotated[
        float,
        typer.Option(help="Seconds between two killed workers: more where they start slowly."),
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run JOBS jobs while workers are killed, webhooks lost and stores torn down; then check all."""
    console = Console(stderr=True)
    seed = seed or int(time.time())
    console.print(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="vsl-chaos-") as folder:
        state = Path(folder)
        try:
            stack = Stack(json.loads(vsl("up", "--detach", "--json", *OPTIONS, state=state)))
            with closing(stack):
                report = run(
                    stack, jobs, seed, patience=patience, say=console.print, kill_every=kill_every
                )
        finally:
            vsl("down", state=state)
    if as_json:
        print(json.dumps(asdict(report)))  # noqa: T201
    else:
        Console().print(_table(report, seed))
    for fault in report.verdict.faults:
        console.print(f"[red]{fault}")
    raise typer.Exit(code=1 if report.verdict.faults else 0)


def _table(report: Report, seed: int) -> Table:
    verdict = report.verdict
    table = Table("what", "how many", title=f"{report.jobs} jobs, seed {seed}")
    rows = {
        **{f"jobs {status}": count for status, count in verdict.statuses.items()},
        "predictions made": verdict.predictions,
        "of these stopped as duplicates": verdict.orphaned,
        "objects compared": verdict.objects,
        "micro-dollars, by the ledger and the stand-in": verdict.charged,
        **{f"woken by {source}": count for source, count in verdict.woken_by.items()},
        **{f"fault: {name}": count for name, count in sorted(report.faults.items())},
        **{f"SIGKILL: {name}": count for name, count in sorted(report.kills.items())},
        "invariants broken": len(verdict.faults),
        "seconds": round(report.seconds),
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    return table


if __name__ == "__main__":
    typer.run(main)
