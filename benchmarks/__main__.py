"""`python -m benchmarks [NAME …]`: run all or some, print tables, write JSON; `report` writes the page."""

import importlib
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

import tests.conftest  # noqa: F401 - the sealed environment of every test: no look-up leaves the machine
from benchmarks.measure import show, write
from benchmarks.report import write_page

NAMES = (
    "cold_start",
    "work",
    "overhead",
    "transfer",
    "hot_paths",
    "growth",
    "money",
    "load",
    "burst",
    "developer",
)


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(NAMES)}.")] = None,
    *,
    quick: Annotated[bool, typer.Option(help="Few rounds, small sizes; nothing is kept.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Measure, side by side and in turns; `report` only writes docs/performance.md anew."""
    console = Console(stderr=as_json)
    chosen = list(names or NAMES)
    if unknown := set(chosen) - {*NAMES, "report"}:
        raise typer.BadParameter(f"no such benchmark: {', '.join(sorted(unknown))}")
    printed = []
    for name in chosen:
        if name == "report":
            continue
        benchmark = importlib.import_module(f"benchmarks.{name}")
        result = benchmark.run(quick=quick)
        show(result, console)
        printed.append(asdict(result))
        if not quick:
            write(result)
            if hasattr(benchmark, "draw"):
                benchmark.draw()
    if as_json:
        print(json.dumps(printed))  # noqa: T201
    if not quick:
        console.print(f"Written: {write_page()}")


if __name__ == "__main__":
    typer.run(main)
