"""docs/pacing.md: the words in pacing.md.in with the figures of the simulation."""

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.pacing.scenarios import ALONE, SCENARIOS, Figures, simulate
from tests.support.template import REPOSITORY

PAGE = REPOSITORY / "docs" / "pacing.md"
WORDS = Path(__file__).with_name("pacing.md.in")

_ROWS: dict[str, Callable[[Figures], str]] = {
    "jobs that did not start": lambda one: f"{one.jobs - one.started} of {one.jobs:,}",
    "the last starts after": lambda one: f"{one.last:,.0f} s",
    "share of the allowed rate that is used": lambda one: f"{one.used:.1%}".replace("%", " %"),
    "429 in spite of a slot": lambda one: f"{one.refused}",
    "small users' wait, 95th percentile": lambda one: f"{one.p95:.1f} s",
    "the same for those who come a minute after the fault": lambda one: (
        "" if one.p95_after is None else f"{one.p95_after:.1f} s"
    ),
    "Jain's index over the small users": lambda one: f"{one.jain:.3f}",
    "starts within the band that was told": lambda one: f"{one.covered:.0%}".replace("%", " %"),
    "longest time without a start": lambda one: f"{one.still:.1f} s",
}


def table(found: Mapping[str, Figures]) -> str:
    titles = [SCENARIOS[name].title for name in found]
    lines = ["| | " + " | ".join(titles) + " |", "|---|" + "---:|" * len(found)]
    for title, cell in _ROWS.items():
        lines.append(f"| {title} | " + " | ".join(cell(one) for one in found.values()) + " |")
    return "\n".join(lines)


def page(url: str) -> str:
    found = {name: simulate(scenario, url) for name, scenario in SCENARIOS.items()}
    return fill(WORDS.read_text(), found)


def fill(words: str, found: Mapping[str, Figures]) -> str:
    slow = found["slow"]
    return (
        words.replace("{{simulated}}", table(found))
        .replace("{{alone}}", f"{ALONE:.1f} s")
        .replace("{{slow_used}}", str(slow.slow_used))
        .replace("{{recovered}}", str(slow.recovered))
    )
