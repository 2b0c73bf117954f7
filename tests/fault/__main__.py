"""Fault enumeration by hand: `python -m tests.fault run [SCENARIO…]`, `… replay SCENARIO N:FAULT…`."""

# ruff: noqa: T201 - a command, it prints

import sys
import time

import tests.conftest  # noqa: F401 - the same environment as under pytest
from tests.fault.harness import handlers
from tests.fault.harness.campaign import Campaign
from tests.fault.harness.effects import Fault
from tests.fault.harness.scenarios import SCENARIOS, scenario


def replay(name: str, *faults: str) -> int:
    """One case, effect by effect."""
    plan = {int(number): Fault(kind) for number, _, kind in (f.partition(":") for f in faults)}
    campaign = Campaign()
    world = campaign.run(scenario(name), plan)
    for effect in world.effects.done:
        fault = plan.get(effect.number)
        print(f"{effect.at:9.2f} s  {effect}" + (f"   <== {fault.value}" if fault else ""))
    print(f"states: {world.execution.entered}, caught: {world.execution.caught}")
    print(f"execution: {world.execution.status} {world.execution.error or ''}")
    print(f"job: {[status for status, _ in world.statuses]}, repairs: {world.repairs}")
    print("\n".join(campaign.failures) or "every invariant holds")
    return 1 if campaign.failures else 0


def run(*names: str) -> int:
    """All single faults of the scenarios that begin with one of the names, or of all."""
    campaign, started = Campaign(), time.perf_counter()
    for chosen in SCENARIOS:
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
