"""Fault enumeration by hand: `python -m tests.fault run [SCENARIO…]`, `… replay SCENARIO N:FAULT…`."""

# ruff: noqa: T201 - a command, it prints

import sys
import time

import tests.conftest  # noqa: F401 - the same environment as under pytest
from tests.fault.harness import handlers
from tests.fault.harness.campaign import Campaign
from tests.fault.harness.effects import Fault
from tests.fault.harness.requests import REQUESTS, RequestWorld
from tests.fault.harness.scenarios import OUTAGES, SCENARIOS
from tests.fault.harness.world import Scenario


def _named(name: str) -> Scenario:
    return next(found for found in (*SCENARIOS, *REQUESTS, *OUTAGES) if found.name == name)


def replay(name: str, *faults: str) -> int:
    """One case, effect by effect."""
    plan = {int(number): Fault(kind) for number, _, kind in (f.partition(":") for f in faults)}
    campaign = Campaign()
    world = campaign.run(_named(name), plan)
    for effect in world.effects.done:
        fault = plan.get(effect.number)
        print(f"{effect.at:9.2f} s  {effect}" + (f"   <== {fault.value}" if fault else ""))
    for run in world.runs.values():
        print(f"job {run.job.job_id}: {[status for status, _ in run.statuses]}")
        if execution := run.execution:
            print(f"  states: {execution.entered}, caught: {execution.caught}")
            print(f"  execution: {execution.status} {execution.error or ''}")
    if isinstance(world, RequestWorld):
        print(
            "\n".join(f"told at {it.at:.2f} s: {it.key} {it.status} {it.body}" for it in world.told)
        )
    print(f"repairs: {world.repairs}")
    print("\n".join(campaign.failures) or "every invariant holds")
    return 1 if campaign.failures else 0


def run(*names: str) -> int:
    """All single faults of the scenarios that begin with one of the names, or of all."""
    campaign, started = Campaign(), time.perf_counter()
    for chosen in (*SCENARIOS, *REQUESTS):
        if not names or chosen.name.startswith(names):
            for _ in campaign.singles(chosen):
                pass
    print(campaign.report())
    print(f"{time.perf_counter() - started:.1f} s")
    print("\n".join(campaign.failures))
    return 1 if campaign.failures else 0


if __name__ == "__main__":
    with handlers.installed():
        sys.exit((replay if sys.argv[1] == "replay" else run)(*sys.argv[2:]))
