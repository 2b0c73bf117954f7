"""The two pictures of docs/cost-and-scale.md. Each carries a digest of its data, which a test compares."""

import hashlib
import json
from pathlib import Path
from typing import Any

from benchmarks.scale.cost import lines
from benchmarks.scale.quotas import TICK
from benchmarks.scale.scenarios import RATES, sustained
from tests.support.template import REPOSITORY

FOLDER = REPOSITORY / "docs" / "pictures"
COST, SCALE = FOLDER / "cost.svg", FOLDER / "scale.svg"
_POINT_SECONDS = 5
_COLOURS = {
    "offered": "#888888",
    "as deployed": "#c2410c",
    "after the changes": "#0f766e",
}


def cost_data() -> dict[str, dict[str, float]]:
    """US dollars for a million jobs, by kind and service."""
    return {
        kind: {line.service: round(line.usd, 2) for line in lines(kind)}
        for kind in ("image", "video")
    }


def scale_data() -> dict[str, dict[str, list[float]]]:
    """Jobs a second over time, by rate."""
    found: dict[str, dict[str, list[float]]] = {}
    for rate in RATES:
        before, after = sustained(rate, changed=False), sustained(rate, changed=True)
        found[str(rate)] = {
            "offered": _points(before.offered),
            "as deployed": _points(before.finished),
            "after the changes": _points(after.finished),
        }
    return found


def digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def draw() -> None:
    """Write both pictures; needs matplotlib, which the environment of the benchmarks has."""
    _draw_cost(cost_data())
    _draw_scale(scale_data())


def _draw_cost(data: dict[str, dict[str, float]]) -> None:
    plt = plotting()
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for each, (kind, services) in zip(axes, data.items(), strict=True):
        names = list(services)[::-1]
        bars = each.barh(names, [services[name] for name in names], color="#0f766e")
        each.bar_label(bars, fmt="%.0f", padding=3, fontsize=8)
        each.set_title(f"a million {kind}s: ${sum(services.values()):,.0f}", fontsize=10)
        each.set_xlim(0, max(services.values()) * 1.18)
        each.tick_params(labelsize=8)
        each.spines[["top", "right"]].set_visible(False)
    axes[0].set_xlabel("US dollars", fontsize=8)
    axes[1].set_xlabel("US dollars", fontsize=8)
    save(figure, COST, data)


def _draw_scale(data: dict[str, dict[str, list[float]]]) -> None:
    plt = plotting()
    figure, axes = plt.subplots(1, len(data), figsize=(9, 3), layout="constrained")
    for each, (rate, courses) in zip(axes, data.items(), strict=True):
        for name, values in courses.items():
            times = [number * _POINT_SECONDS for number in range(len(values))]
            style = "--" if name == "offered" else "-"
            each.plot(times, values, style, color=_COLOURS[name], label=name, linewidth=1.6)
        each.set_title(f"{rate} jobs a second", fontsize=10)
        each.set_xlabel("seconds", fontsize=8)
        each.set_ylim(0, float(rate) * 1.4)
        each.tick_params(labelsize=8)
        each.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("jobs a second", fontsize=8)
    axes[-1].legend(fontsize=8, frameon=False, loc="center right")
    save(figure, SCALE, data)


def plotting() -> Any:
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "vsl", "font.family": "sans-serif"}
    return plt


def save(figure: Any, path: Path, data: object) -> None:
    figure.savefig(path, metadata={"Date": None, "Description": digest(data)})
    text = "\n".join(line.rstrip() for line in path.read_text().splitlines())
    path.write_text(text + "\n")


def _points(values: list[float]) -> list[float]:
    """One mean for each five seconds."""
    size = round(_POINT_SECONDS / TICK)
    return [
        round(sum(values[start : start + size]) / _POINT_SECONDS, 1)
        for start in range(0, len(values), size)
    ]
