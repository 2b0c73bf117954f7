"""A seeded sample of two faults in one job, the second anywhere after the first."""

import random

import pytest

from tests.fault.conftest import PAIRS
from tests.fault.harness.campaign import Campaign
from tests.fault.harness.scenarios import CORE, SCENARIOS

pytestmark = pytest.mark.no_cover  # thousands of whole jobs: measuring them doubles their time


@pytest.mark.timeout(3600)
def test_pairs_of_faults(campaign: Campaign, request: pytest.FixtureRequest) -> None:
    """The second fault is drawn from what the job does after the first, so both always happen."""
    seed = request.config.getoption("--fault-seed")
    draw = random.Random(seed)
    scenarios = SCENARIOS if PAIRS >= 2_000 else CORE
    clean = {scenario.name: campaign.fault_free(scenario).effects.done for scenario in scenarios}
    pairs = 0
    while pairs < PAIRS:
        scenario = draw.choice(scenarios)
        first = draw.choice(clean[scenario.name])
        plan = {first.number: draw.choice(scenario.faults(first))}
        later = campaign.run(scenario, plan).effects.done[first.number + 1 :]
        if not later:
            continue
        second = draw.choice(later)
        campaign.run(scenario, plan | {second.number: draw.choice(scenario.faults(second))})
        pairs += 1
    print(f"\nseed {seed}, {pairs} pairs\n{campaign.report()}")  # noqa: T201 - the figures
    assert not campaign.failures, "\n".join(campaign.failures)
