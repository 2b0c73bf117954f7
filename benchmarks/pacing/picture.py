"""The picture of a burst on the running stack, out of its results; it carries a digest of its data."""

import json
from typing import Any

from benchmarks.measure import RESULTS
from benchmarks.scale.pictures import FOLDER, plotting, save

QUEUE = FOLDER / "queue.svg"


def data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / "burst.json").read_text())["data"]
    return found


def draw() -> None:
    """Needs matplotlib, which the environment of the benchmarks has."""
    plt, found = plotting(), data()
    figure, (depth, starts) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    times, jobs = zip(*found["depth"], strict=True)
    depth.fill_between(times, jobs, color="#0f766e", alpha=0.25)
    depth.plot(times, jobs, color="#0f766e", linewidth=1.6)
    depth.set_title("jobs in the queue", fontsize=10)
    step = times[1] - times[0]
    for user, counts in found["starts"].items():
        at = [number * step for number in range(len(counts))]
        starts.plot(at, counts, linewidth=1.0, label=user)
    starts.set_title("jobs started, each of ten users", fontsize=10)
    for axes in (depth, starts):
        axes.set_xlabel("seconds", fontsize=8)
        axes.set_ylim(bottom=0)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, QUEUE, found)
