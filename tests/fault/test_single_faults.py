"""Every fault at every effect of a job, one at a time."""

import pytest

from tests.fault.conftest import EVERYTHING
from tests.fault.harness.campaign import Campaign
from tests.fault.harness.effects import Fault
from tests.fault.harness.rare_paths import RARE_PATHS
from tests.fault.harness.requests import CORE_REQUESTS, REQUESTS
from tests.fault.harness.scenarios import CORE, OUTAGES, SCENARIOS
from tests.fault.harness.world import Scenario

pytestmark = pytest.mark.no_cover  # thousands of whole jobs: measuring them doubles their time


@pytest.mark.parametrize(
    "scenario", SCENARIOS + OUTAGES + REQUESTS, ids=lambda scenario: scenario.name
)
def test_without_faults_every_invariant_holds(scenario: Scenario, campaign: Campaign) -> None:
    campaign.fault_free(scenario)
    assert not campaign.failures, "\n".join(campaign.failures)


@pytest.mark.sampled
@pytest.mark.parametrize("scenario", CORE + CORE_REQUESTS, ids=lambda scenario: scenario.name)
def test_some_single_faults(scenario: Scenario, campaign: Campaign) -> None:
    """What `make test` has time for: of all cases below one in nineteen, spread over the run."""
    for _ in campaign.singles(scenario, every=19):
        pass
    assert campaign.cases > 1
    assert not campaign.failures, "\n".join(campaign.failures)


@pytest.mark.thorough
@pytest.mark.timeout(3600)
def test_every_single_fault(campaign: Campaign) -> None:
    """And each kind of fault, each invariant and each rare path really occurred."""
    for scenario in SCENARIOS if EVERYTHING else CORE:
        for _ in campaign.singles(scenario):
            pass
    print(f"\n{campaign.report()}")  # noqa: T201 - the figures
    assert not campaign.failures, "\n".join(campaign.failures)
    assert set(campaign.injected) == set(Fault)
    assert set(campaign.taken) == set(RARE_PATHS)


@pytest.mark.thorough
@pytest.mark.timeout(3600)
def test_every_single_fault_of_requests(campaign: Campaign) -> None:
    """The API workflow with its clients, who repeat what was refused, lost or answered."""
    for scenario in REQUESTS if EVERYTHING else CORE_REQUESTS:
        for _ in campaign.singles(scenario):
            pass
    print(f"\n{campaign.report()}")  # noqa: T201 - the figures
    assert not campaign.failures, "\n".join(campaign.failures)
