"""What a new job learns from its stores."""

from dataclasses import replace

import pytest

from tests.support.fakes import MemoryJobRepository
from tests.unit.services.conftest import World
from vsl.domain.errors import UnpricedModel
from vsl.domain.jobs.flow import flow_of
from vsl.domain.money.budgets import BudgetDefaults


def test_a_job_takes_the_weight_of_its_user_along(world: World) -> None:
    assert isinstance(world.repository, MemoryJobRepository)
    world.repository.weight = 4
    made = replace(world.job, job_id="019a3d2e-0000-7000-8000-00000000000a")
    created = world.create_job(made, None)
    assert created == replace(made, weight=4)
    item = world.tracking.get(made.job_id)
    assert item is not None
    assert flow_of(item.job) == flow_of(created) != flow_of(made)
    assert flow_of(created).cost == 0.25


def test_a_job_of_a_model_without_a_price_is_refused_and_leaves_nothing(world: World) -> None:
    unpriced = replace(
        world.job, job_id="019a3d2e-0000-7000-8000-00000000000b", estimated_cost=None
    )
    with pytest.raises(UnpricedModel, match="has no price in the catalogue"):
        world.create_job(unpriced, None)
    assert world.tracking.get(unpriced.job_id) is None

    assert isinstance(world.repository, MemoryJobRepository)
    world.repository.money.defaults = BudgetDefaults(unpriced=True)
    world.create_job(unpriced, None)
    item = world.tracking.get(unpriced.job_id)
    assert item is not None
    assert item.job.estimated_cost is None
    assert item.job.hold == 0
