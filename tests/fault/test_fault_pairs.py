"""A seeded sample of two faults in one job, the second anywhere after the first."""

import random
from collections.abc import Sequence

import pytest

from tests.fault.conftest import PAIRS
from tests.fault.harness.campaign import Campaign
from tests.fault.harness.scenarios import CORE, PACING, SCENARIOS
from tests.fault.harness.world import Scenario

pytestmark = [
    pytest.mark.no_cover,  # thousands of whole jobs: measuring them doubles their time
    pytest.mark.thorough,
]


ALL = PAIRS >= 2_000


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("scenarios", "wanted"),
    [
        pytest.param(SCENARIOS if ALL else CORE, PAIRS, id="all" if ALL else "core"),
        # Several jobs at once: each case takes several times as long as one of a single job.
        pytest.param(PACING, PAIRS // 5, id="pacing"),
    ],
)
def test_pairs_of_faults(
    campaign: Campaign,
    request: pytest.FixtureRequest,
    scenarios: Sequence[Scenario],
    wanted: int,
) -> None:
    """The second fault is drawn from what the job does after the first, so both always happen."""
    seed = request.config.getoption("--fault-seed")
    draw = random.Random(seed)
    clean = {scenario.name: campaign.fault_free(scenario).effects.done for scenario in scenarios}
    pairs = 0
    while pairs < wanted:
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
