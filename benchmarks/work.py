"""What a job does to the outside, counted: a plain image job in the harness of the fault tests.

Its list of effects is discovered and not written by hand, so a new call shows here at once.
`BUDGET` is what a test lets pass; a change that needs more raises it and says why.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from benchmarks.item_size import item_size
from benchmarks.measure import Result
from tests.fault.harness import handlers
from tests.fault.harness.effects import Effect
from tests.fault.harness.scenarios import scenario
from tests.fault.harness.world import World

BUDGET = {
    "state transitions": 8,
    "Lambda invocations": 9,
    "DynamoDB requests": 14,  # one asks whether the API has written the job down
    "DynamoDB write units": 22,
    "PostgreSQL calls": 4,
    "Redis commands": 8,  # one gives the place of a running job back, one asks how long the queue is
    "S3 requests": 5,
    "Replicate calls": 2,  # the prediction, and its file
    "task token answers": 1,
}
STORES = {
    "DynamoDB requests": "dynamodb",
    "PostgreSQL calls": "postgresql",
    "Redis commands": "redis",
    "S3 requests": "s3",
    "Replicate calls": "replicate",
    "task token answers": "stepfunctions",
}
KEYS = ("userId", "replicateId", "inFlightShard", "nextCheckAt", "jobId", "timestamp")
INDEXES = (("userId",), ("replicateId",), ("inFlightShard", "nextCheckAt"))


class CountingWorld(World):
    """A run that also weighs every write of the tracking item."""

    callback_url = None
    write_units = 0
    before: Mapping[str, Any]

    def _written(self, item: Mapping[str, Any]) -> None:
        before: Mapping[str, Any] = getattr(self, "before", {})
        size = max(item_size(item), item_size(before))
        self.write_units += math.ceil(size / 1024)
        for index in INDEXES:
            old, new = (
                tuple(json.dumps(it[key]) for key in index if key in it) for it in (before, item)
            )
            if old != new:  # keys alone: an entry is taken out, put in, or both
                self.write_units += (len(old) == len(index)) + (len(new) == len(index))
        self.before = item
        super()._written(item)


def count() -> tuple[dict[str, int], list[Effect]]:
    """The figures of a plain image job, and its effects in order."""
    world = CountingWorld(scenario("image"))
    world.run()
    done = list(world.effects.done)
    stores = Counter(effect.store for effect in done)
    found = {name: stores[store] for name, store in STORES.items()}
    return {
        # Step Functions bills the start as well as every state that is entered.
        "state transitions": len(world.execution.entered) + 1,
        # One by each state, and one by each webhook.
        "Lambda invocations": len(world.execution.entered) + len(world.answers),
        "DynamoDB write units": world.write_units,
        **found,
    }, done


def run(*, quick: bool = False) -> Result:  # noqa: ARG001 - it is quick
    result = Result(
        "work", "Work per job: a plain image job", ["what", "a job", "allowed", "who does it"]
    )
    with handlers.installed():
        found, effects = count()
    for name, allowed in BUDGET.items():
        actors = Counter(effect.actor for effect in effects if effect.store == STORES.get(name, ""))
        told = ", ".join(f"{actor} {number}" for actor, number in actors.items())
        result.row(name, found[name], allowed, told)
        result.goal(name, found[name], allowed)
    result.notes.append(
        "Write units are those of the tracking item, 1 KiB each, and of its three indexes, which"
        " carry keys alone. The API workflow adds its own validation, limit and record: 4 Lambda"
        " invocations, which find the same job and write nothing twice."
    )
    return result
