"""Predictions without a job: one that could not be looked at is told of, and not taken for another's."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from cli.doctor.findings import Scope
from cli.doctor.predictions import orphan_predictions
from tests.unit.services.conftest import World, world
from vsl.domain.errors import ProviderUnavailable
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.prediction import Prediction

if TYPE_CHECKING:
    from cli.doctor.site import Site
    from tests.support.fakes import FakeProvider, SteppedClock

__all__ = ["world"]
API = "https://api.example.com/v1"


class LittleSite:
    """A deployment whose PostgreSQL knows of nothing."""

    api_url = API

    def __init__(self, world: World) -> None:
        self.provider: FakeProvider = world.provider
        self.tracking = world.tracking
        self._clock: SteppedClock = world.clock

    def now(self) -> datetime:
        return self._clock.now() + timedelta(minutes=1)

    def rows(self, _query: str, *_values: object) -> list[dict[str, Any]]:
        return []


def found(site: LittleSite, limit: int = 100) -> list[tuple[str, str]]:
    scope = Scope(window=timedelta(hours=1), limit=limit)
    findings = orphan_predictions(cast("Site", site), scope)
    return [(finding.subject, finding.what) for finding in findings]


@pytest.fixture
def site(world: World) -> LittleSite:
    world.provider.others(20, world.clock.now(), 10)
    return LittleSite(world)


def ours(world: World) -> Prediction:
    return world.provider.create("m", {}, webhook_url(API, world.job.job_id, 1), 60)


def test_one_that_the_list_does_not_tell_of_is_asked_for(world: World, site: LittleSite) -> None:
    orphan = ours(world)
    assert [subject for subject, _ in found(site)] == [orphan.id]


def test_the_job_s_own_is_known_without_asking(world: World, site: LittleSite) -> None:
    own = ours(world)
    world.tracking.record_prediction(world.job.job_id, 1, own.id, world.clock.now(), "workflow")
    assert found(site) == []
    assert own.id not in world.provider.asked


@pytest.mark.parametrize("answer", ["no answer", "unknown"])
def test_one_that_cannot_be_looked_at_is_told_of(
    world: World, site: LittleSite, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    orphan, second = ours(world), ours(world)
    read = world.provider.get

    def get(replicate_id: str) -> Prediction | None:
        if replicate_id != orphan.id:
            return read(replicate_id)
        if answer == "unknown":
            return None
        raise ProviderUnavailable("down")

    monkeypatch.setattr(world.provider, "get", get)
    assert found(site) == [
        (second.id, f"is starting for job {world.job.job_id}, which does not know it"),
        ("1 of 22", "could not be looked at, so they may belong to jobs: try again"),
    ]


def test_a_list_longer_than_the_limit_is_told_of(world: World, site: LittleSite) -> None:
    ours(world)
    assert [what for _, what in found(site, limit=5)][-1] == (
        "is all that was looked at; the list goes on: raise --limit or lower --days"
    )


def test_the_end_of_the_list_is_no_limit(world: World, site: LittleSite) -> None:
    assert found(site, limit=20) == []
