"""A job does no more than its budget: a call, a write unit or a transition more is a decision."""

import pytest

from benchmarks.work import BUDGET, count
from tests.fault.harness import handlers
from tests.fault.harness.scenarios import scenario
from tests.fault.harness.world import World


def test_a_plain_job_stays_within_its_budget() -> None:
    found, _ = count()
    assert found.keys() == BUDGET.keys()
    over = {name: (found[name], BUDGET[name]) for name in BUDGET if found[name] > BUDGET[name]}
    assert over == {}, "more than the budget in benchmarks/work.py"


@pytest.mark.parametrize(("name", "allowed"), [("image", 8), ("waits for a slot", 9)])
def test_a_wait_for_the_provider_costs_one_transition(name: str, allowed: int) -> None:
    """Of the three jobs at once the first has a slot, the others wait."""
    with handlers.installed():
        world = World(scenario(name))
        world.run()
    # Step Functions bills the start as well as every state that is entered.
    counts = [len(run.execution.entered) + 1 for run in world.runs.values() if run.execution]
    assert max(counts) == allowed
    assert min(counts) == 8


def test_a_budget_nobody_needs_is_lowered() -> None:
    found, _ = count()
    loose = {name: (found[name], BUDGET[name]) for name in BUDGET if found[name] < BUDGET[name]}
    assert loose == {}, "less than the budget in benchmarks/work.py: write the new figure there"
