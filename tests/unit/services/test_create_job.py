"""What a new job learns from its stores."""

from dataclasses import replace

from tests.support.fakes import MemoryJobRepository
from tests.unit.services.conftest import World
from vsl.domain.jobs.flow import flow_of


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
