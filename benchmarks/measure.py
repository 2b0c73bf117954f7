"""Interleaved timing, tables, and the JSON that docs/performance.md is made from.

Machines are noisy: what is compared is timed in turns (A B, B A, …) in one run and given as a
ratio of medians.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Goal:
    """What was aimed at, and whether this run reached it."""

    text: str
    value: str
    met: bool


@dataclass
class Result:
    """One benchmark's figures. `rows` are cells of text by column, `data` is for plots."""

    name: str
    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def row(self, *cells: object) -> None:
        self.rows.append([str(cell) for cell in cells])

    def goal(self, text: str, value: float, limit: float, *, at_least: bool = False) -> None:
        met = value >= limit if at_least else value <= limit
        self.goals.append(Goal(text, f"{value:.2f}", met))


def interleaved(
    rounds: int, candidates: Mapping[str, Callable[[], object]]
) -> dict[str, list[float]]:
    """Seconds of each candidate in each round; every other round goes backwards."""
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    order = list(candidates)
    for number in range(rounds):
        for name in order if number % 2 == 0 else reversed(order):
            began = time.perf_counter()
            candidates[name]()
            taken[name].append(time.perf_counter() - began)
    return taken


def median(values: list[float]) -> float:
    return statistics.median(values)


def p95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def times(ratio: float) -> str:
    return f"{ratio:.2f} x"


def mib(size: float) -> str:
    return f"{size / 1024**2:.0f} MiB"


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo")), "0")
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / 1024**2:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def write(result: Result) -> Path:
    document = {
        **asdict(result),
        "machine": machine(),
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
    }
    path = RESULTS / f"{result.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return path


def show(result: Result, console: Console) -> None:
    table = Table(*result.columns, title=result.title, title_justify="left")
    for row in result.rows:
        table.add_row(*row)
    console.print(table)
    for goal in result.goals:
        mark = "[green]✓[/green]" if goal.met else "[red]✗[/red]"
        console.print(f"{mark} {goal.text}: {goal.value}")
    for note in result.notes:
        console.print(f"[dim]{note}[/dim]")


@contextmanager
def progress(text: str) -> Iterator[None]:
    began = time.monotonic()
    print(f"  {text} …", end="", file=sys.stderr, flush=True)  # noqa: T201
    yield
    print(f" {time.monotonic() - began:.1f} s", file=sys.stderr)  # noqa: T201
