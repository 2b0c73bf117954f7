"""docs/performance.md out of the results of the last full run and the words in performance.md.in."""

import json
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
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text())
        text = text.replace(f"{{{{{result['name']}}}}}", _section(result))
    return text


def _section(result: dict[str, Any]) -> str:
    head = "| " + " | ".join(result["columns"]) + " |"
    rule = "|" + "---|" * len(result["columns"])
    lines = [head, rule, *("| " + " | ".join(row) + " |" for row in result["rows"])]
    if result["goals"]:
        lines += ["", "| goal | measured | |", "|---|---|---|"]
        lines += [
            f"| {goal['text']} | {goal['value']} | {'reached' if goal['met'] else '**missed**'} |"
            for goal in result["goals"]
        ]
    lines += [f"\n{note}" for note in result["notes"]]
    facts = result["machine"]
    lines.append(
        f"\n_{facts['cores']} cores of {facts['cpu']}, {facts['memory']}, {facts['system']}, Python"
        f" {facts['python']}, load {facts['load']} at the end, {result['when'][:10]}._"
    )
    return "\n".join(lines)
