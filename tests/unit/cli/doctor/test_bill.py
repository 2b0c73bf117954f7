"""The bill over a long list: every prediction once, no more than was asked for, others' left out."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from cli.doctor import bill as module
from cli.doctor.findings import Finding, Scope
from tests.unit.services.conftest import World, world
from vsl.domain.errors import ProviderUnavailable
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.prediction import PredictionStatus

if TYPE_CHECKING:
    from cli.doctor.site import Site

__all__ = ["world"]
API = "https://api.example.com/v1"
NOTHING = {
    "job_id": None, "completed": False, "settled": False, "assumed": False, "charged": 0,
    "orphan_of": None, "found_at": None, "source": None, "orphaned": 0,
}  # fmt: skip


class LittleSite:
    """A deployment whose PostgreSQL knows of nothing."""

    api_url = API

    def __init__(self, world: World) -> None:
        self.provider = world.provider
        self.tracking = world.tracking
        self.catalogue = world.catalogue
        self._clock = world.clock

    def now(self) -> Any:
        return self._clock.now() + timedelta(minutes=1)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        if "unnest" in query:
            return [NOTHING | {"id": each} for each in values[0]]
        return []


def bill(world: World, limit: int = 1000) -> list[Finding]:
    scope = Scope(window=timedelta(hours=1), limit=limit, young=timedelta(0))
    return list(module.bill(cast("Site", LittleSite(world)), scope))


def ended(world: World, status: PredictionStatus = PredictionStatus.SUCCEEDED) -> str:
    """A prediction of ours, of which its job knows nothing."""
    made = world.provider.create("m", {}, webhook_url(API, world.job.job_id, 1), 60)
    world.provider.end(made.id, status)
    return made.id


@pytest.mark.parametrize("stretch", [1, 2, 7, 1000])
def test_a_long_list_is_read_in_stretches(
    world: World, monkeypatch: pytest.MonkeyPatch, stretch: int
) -> None:
    """Those created within the same second are seen by two readings, and told of once."""
    monkeypatch.setattr(module, "_STRETCH", stretch)
    made = [ended(world)]
    for _ in range(7):
        world.clock.advance(0.7)
        made.append(ended(world))
    world.clock.advance(1)
    assert [each.subject for each in bill(world)] == made[::-1]
    assert world.provider.listed <= len(made) // stretch + 1


def test_it_says_where_it_has_stopped(world: World) -> None:
    for _ in range(3):
        ended(world)
        world.clock.advance(1)
    *_, last = bill(world, limit=2)
    assert last.subject == "2 predictions"
    assert "raise --limit" in last.what


def test_what_is_free_is_in_no_bill(world: World) -> None:
    ended(world, PredictionStatus.FAILED)
    assert bill(world) == []
    assert world.provider.asked == []


def test_another_programs_predictions_are_not_ours(world: World) -> None:
    for other in world.provider.others(5, world.clock.now(), 1):
        world.provider.end(other.id)
    world.clock.advance(2)
    assert bill(world) == []


def test_what_runs_is_not_billed_yet(world: World) -> None:
    world.provider.create("m", {}, webhook_url(API, world.job.job_id, 1), 60)
    assert bill(world) == []


def test_one_that_cannot_be_looked_at_is_told_of(world: World) -> None:
    unseen = ended(world)

    def away(_replicate_id: str) -> None:
        raise ProviderUnavailable("Away.")

    world.provider.get = away  # type: ignore[method-assign, assignment]
    (finding,) = bill(world)
    assert (finding.subject, finding.cure, finding.money) == (unseen, None, None)
