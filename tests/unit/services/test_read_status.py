"""The status of a job: what was asked comes from PostgreSQL, once."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.support.fakes import MemoryCache, MemoryJobRepository, StillQueue
from tests.support.jobs import make_job
from tests.unit.services.conftest import World
from vsl.adapters.aws import clients
from vsl.domain.api.caller import Caller
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.status import AskedDocument
from vsl.services.reading.live_documents import LiveDocuments
from vsl.services.reading.read_status import ReadStatus

JOB = make_job(metadata={"order": "17"})


@dataclass
class Repository(MemoryJobRepository):
    away: bool = False
    asked_for: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.create_job(JOB, None)

    def asked(self, job_id: str) -> AskedDocument | None:
        self.asked_for.append(job_id)
        if self.away:
            raise StoreUnavailable("PostgreSQL did not answer.")
        return super().asked(job_id)


@pytest.fixture
def cache() -> MemoryCache:
    return MemoryCache()


def read(world: World, cache: MemoryCache, repository: Repository) -> dict[str, Any]:
    if world.tracking.get(JOB.job_id) is None:
        world.tracking.create(JOB, JOB.deadline, None)
    live = LiveDocuments(StillQueue(), world.clock)
    found = ReadStatus(cache, world.tracking, repository, live)(JOB.job_id, Caller())
    return cast("dict[str, Any]", found)


def test_a_running_job_is_told_with_what_was_asked(world: World, cache: MemoryCache) -> None:
    repository = Repository()
    for _ in range(3):
        document = read(world, cache, repository)
        assert (document["prompt"], document["metadata"]) == ("a lighthouse", {"order": "17"})
        cache.documents.clear()  # two seconds later
    assert repository.asked_for == [JOB.job_id], "it never changes"


def test_while_postgresql_is_away_the_status_goes_without(world: World, cache: MemoryCache) -> None:
    document = read(world, cache, Repository(away=True))
    assert document["status"] == "pending"
    assert "prompt" not in document


def test_dynamodb_keeps_neither(world: World, cache: MemoryCache) -> None:
    read(world, cache, Repository())
    assert "lighthouse" not in str(clients.client("dynamodb").items)
    assert "order" not in str(clients.client("dynamodb").items)
