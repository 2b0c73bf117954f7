"""docs/performance.md out of the results of the last full run and the words in performance.md.in."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS
from tests.support.template import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
WORDS = Path(__file__).with_name("performance.md.in")


def write_page() -> str:
    PAGE.write_text(page())
    return str(PAGE.relative_to(REPOSITORY))


def page() -> str:
    """The words, with each `{{name}}` replaced by that benchmark's figures."""
    text = WORDS.read_text()
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    text = text.replace("{{machine}}", _machine(results))
    for result in results:
        text = text.replace(f"{{{{{result['name']}}}}}", _section(result))
    return text


def _machine(results: Sequence[dict[str, Any]]) -> str:
    """What all machines had in common; a section names the rest."""
    common = {
        ", ".join(
            [
                f"{facts['cores']} cores",
                facts["memory"],
                facts["system"],
                f"Python {facts['python']}",
            ]
        )
        for facts in (result["machine"] for result in results)
    }
    return f"Measured on {' and '.join(sorted(common))}."


def _section(result: dict[str, Any]) -> str:
    head = "| " + " | ".join(result["columns"]) + " |"
    rule = "|" + "---|" * len(result["columns"])
    rows = _alike(result["rows"]) if result["name"] == "cold_start" else result["rows"]
    lines = [head, rule, *("| " + " | ".join(row) + " |" for row in rows)]
    if result["goals"]:
        lines += ["", _goals(result["goals"])]
    lines += [f"\n{note}" for note in result["notes"]]
    facts = result["machine"]
    lines.append(f"\n_{facts['cpu']}, load {facts['load']} at the end, {result['when'][:10]}._")
    return "\n".join(lines)


def _alike(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Functions that load the same in as much memory in one row, with the range of their figures."""
    groups: dict[tuple[str, ...], list[Sequence[str]]] = {}
    for row in rows:
        single = row[0] if not row[1] else ""
        groups.setdefault((single, *row[-2:]), []).append(row)
    found = []
    for (_, *same), members in groups.items():
        ranges = [_range([row[place] for row in members]) for place in range(1, len(rows[0]) - 2)]
        found.append([", ".join(row[0] for row in members), *ranges, *same])
    return found


def _range(cells: Sequence[str]) -> str:
    """`3 ms` and `5 ms` are `3 to 5 ms`."""
    if len(set(cells)) == 1:
        return cells[0]
    low, high = (choose(cells, key=lambda cell: float(cell.split()[0])) for choose in (min, max))
    return f"{low.split()[0]} to {high}"


def _goals(goals: list[dict[str, Any]]) -> str:
    """One line: the figures themselves stand in the table above it."""
    missed = [f"{goal['text']} ({goal['value']})" for goal in goals if not goal["met"]]
    reached = len(goals) - len(missed)
    if not missed:
        return f"Goals: all {reached} reached."
    return f"Goals: {reached} reached, **{len(missed)} missed**: {'; '.join(missed)}."
