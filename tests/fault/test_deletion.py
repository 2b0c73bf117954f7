"""A job that is deleted, with every fault at every effect: in the end nothing of it is left anywhere.

Nobody runs the doctor here: the step that stores on and the poller have to see to it.
"""

from collections.abc import Iterator, Mapping

import pytest

from tests.fault.harness.campaign import gave_up
from tests.fault.harness.effects import Fault
from tests.fault.harness.world import Scenario, World

pytestmark = pytest.mark.no_cover

_ANY = frozenset({"succeeded", "failed", "canceled"})
TOUCHING = {"store_media", "delete_job", "repair_execution"}
# And when the user deletes it.
SCENARIOS = (
    (Scenario("deleted after its end"), 8.0),
    # StoreMedia is at work when its execution is stopped, and nothing stops it.
    (
        Scenario(
            "deleted while it stores",
            stop_at=4.95,
            holds=(("after s3.put_object", 20.0),),
            ends=_ANY,
        ),
        8.0,
    ),
    (
        Scenario(
            "stores after the deletion",
            stop_at=4.95,
            holds=(("before store_media", 60.0),),
            ends=_ANY,
        ),
        8.0,
    ),
)


class DeletingWorld(World):
    def __init__(
        self, scenario: Scenario, delete_at: float, plan: Mapping[int, Fault] | None = None
    ) -> None:
        super().__init__(scenario, plan)
        self.delete_at = delete_at
        self.deletions: list[int] = []

    def run(self) -> "DeletingWorld":
        self.scheduler.at(self.delete_at, self._delete)
        super().run()
        return self

    def _delete(self) -> None:
        """The user asks again while the answer is no: it has not ended, or something broke."""

        def ask() -> None:
            for _ in range(60):
                path = {"jobId": self.job.job_id}
                self.deletions.append(self.call("delete_job", {"pathParameters": path}))
                if self.deletions[-1] in {204, 404}:
                    return
                self.scheduler.sleep(10)

        self.scheduler.spawn("User", ask)


def left(world: DeletingWorld) -> Iterator[str]:
    if world.deletions[-1:] not in ([204], [404]):
        yield f"never deleted: {world.deletions}"
    row = world.books.rows[world.job.job_id]
    if not row.deleted or row.assets:
        yield "PostgreSQL knows it"
    if world.s3.objects:
        yield f"objects: {sorted(world.s3.objects)}"
    if world.dynamodb.items:
        yield f"items: {world.dynamodb.items}"
    if world.cache.get(world.job.job_id) is not None:
        yield "its status is cached"
    if world.execution.status == "RUNNING":
        yield "its execution runs"
    if world.surprises:
        yield f"an error nobody foresaw: {world.surprises[0]}"


def stored_late(world: World) -> bool:
    """Whether StoreMedia wrote to the bucket after the deletion had begun."""
    actors = [
        effect.actor
        for effect in world.effects.done
        if effect.store == "s3" or effect.actor == "delete_job"
    ]
    return "store_media" in actors[actors.index("delete_job") :]


def test_without_faults_something_is_stored_after_the_deletion() -> None:
    late = {}
    for scenario, at in SCENARIOS:
        world = DeletingWorld(scenario, at).run()
        assert list(left(world)) == [], scenario.name
        late[scenario.name] = stored_late(world)
    assert list(late.values()) == [False, True, True]


@pytest.mark.thorough
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("scenario", "at"), SCENARIOS, ids=[scenario.name for scenario, _ in SCENARIOS]
)
def test_every_single_fault(scenario: Scenario, at: float) -> None:
    found, cases, swept = [], 0, 0
    for effect in DeletingWorld(scenario, at).run().effects.done:
        if effect.actor not in TOUCHING or effect.at < (scenario.stop_at or at):
            continue  # what goes wrong elsewhere is what the other tests are for
        for fault in effect.faults():
            world = DeletingWorld(scenario, at, {effect.number: fault}).run()
            cases += 1
            swept += "swept" in world.repairs
            if not gave_up(world):
                found += [f"{scenario.name}, {fault} at {effect}: {what}" for what in left(world)]
    assert not found, "\n".join(found)
    assert swept == cases > 100
