"""Deleting a job: everything or again, wherever it dies on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.jobs import make_asset
from tests.support.outside import START, MemoryCache
from tests.unit.services.conftest import World
from vsl.domain.caller import Caller
from vsl.domain.errors import JobNotEnded, JobNotFound, StoreUnavailable
from vsl.domain.ids import new_job_id
from vsl.domain.job import FinishedJob, JobStatus
from vsl.domain.keys import media_prefix, record_key, thumbnail_prefix
from vsl.domain.status import StatusDocument, finished_document
from vsl.services.delete_job import delete_job

EFFECTS = ["status", "get", "remove", "remove", "remove", "delete", "close", "erase"]
BACK_END = Caller()


@dataclass
class Stores:
    """PostgreSQL, S3 and Redis in memory; dies at effect number `dies_at`, before or after it."""

    world: World
    end: FinishedJob
    cache: MemoryCache = field(default_factory=MemoryCache)
    keys: set[str] = field(default_factory=set)
    erased_at: datetime | None = None
    dies_at: int | None = None
    after: bool = False
    done: list[str] = field(default_factory=list)

    def effect(self, name: str, work: Callable[[], Any]) -> Any:
        self.done.append(name)
        dies = len(self.done) - 1 == self.dies_at
        result = work() if self.after or not dies else None
        if dies:
            raise StoreUnavailable("died")
        return result

    def __getattr__(self, name: str) -> Any:
        targets: dict[str, Callable[..., Any]] = {
            "status": self._status,
            "get": self.world.live.get,
            "remove": self._remove,
            "delete": self.world.live.delete,
            "close": self.cache.close,
            "erase": self._erase,
        }
        target = targets[name]
        return lambda *given: self.effect(name, lambda: target(*given))

    def _status(self, job_id: str) -> StatusDocument | None:
        known = job_id == self.end.job.job_id and self.erased_at is None
        return finished_document(self.end) if known else None

    def _remove(self, prefix: str) -> int:
        gone = {key for key in self.keys if key.startswith(prefix)}
        self.keys -= gone
        return len(gone)

    def _erase(self, _job_id: str, at: datetime) -> None:
        self.erased_at = self.erased_at or at

    def delete_job(self, job_id: str | None = None, who: Caller = BACK_END) -> None:
        this: Any = self
        delete_job(
            job_id or self.world.job.job_id,
            who,
            accounting=this,
            history=this,
            live=this,
            objects=this,
            cache=this,
            clock=self.world.clock,
        )

    def traces(self) -> Sequence[str]:
        """Where the job can still be seen."""
        job_id = self.end.job.job_id
        found = ["S3"] if self.keys - {OTHER} else []
        found += ["DynamoDB"] if self.world.live.get(job_id) else []
        found += ["Redis"] if self.cache.get(job_id) else []
        return found + ([] if self.erased_at else ["PostgreSQL"])


OTHER = "media/user-1/image/2026/03/01/another-job/0-out.webp"


@pytest.fixture
def stores(world: World) -> Stores:
    end = FinishedJob(
        world.job, JobStatus.SUCCEEDED, START + timedelta(seconds=5), assets=(make_asset(),)
    )
    made = Stores(world, end)
    world.live.finish(end, finished_document(end))
    made.cache.put(finished_document(end))
    made.keys = {
        media_prefix(world.job) + "0-out.webp",
        media_prefix(world.job) + "1-never-booked.webp",
        thumbnail_prefix(world.job) + "0-out.webp",
        record_key(world.job, 0),
        OTHER,
    }
    return made


def test_nothing_is_left_and_nothing_else_is_touched(stores: Stores) -> None:
    assert stores.traces() == ["S3", "DynamoDB", "Redis", "PostgreSQL"]
    stores.delete_job()
    assert stores.traces() == []
    assert stores.keys == {OTHER}
    assert stores.done == EFFECTS
    with pytest.raises(JobNotFound):
        stores.delete_job()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", range(len(EFFECTS)))
def test_wherever_it_dies_it_can_be_done_again(stores: Stores, dies_at: int, after: bool) -> None:
    stores.dies_at, stores.after = dies_at, after
    with pytest.raises(StoreUnavailable):
        stores.delete_job()
    if stores.erased_at is None:
        stores.delete_job()
    else:
        assert dies_at == len(EFFECTS) - 1, "the mark is the last effect"
    assert stores.traces() == []


def test_a_late_reader_and_a_late_end_do_not_bring_it_back(stores: Stores) -> None:
    stores.delete_job()
    stores.cache.put(finished_document(stores.end))
    assert stores.traces() == []


def test_a_job_that_runs_is_refused(world: World, stores: Stores) -> None:
    stores.end = FinishedJob(world.job, JobStatus.PENDING, START)
    with pytest.raises(JobNotEnded):
        stores.delete_job()
    assert stores.done == ["status", "get"]
    assert stores.keys != {OTHER}


def test_a_job_whose_end_is_still_being_told_is_refused(world: World, stores: Stores) -> None:
    """PostgreSQL has the end, DynamoDB not yet: the rest of it may be on its way."""
    other = world.job
    world.live.delete(other.job_id)
    world.live.create(other, other.created_at, None)
    with pytest.raises(JobNotEnded):
        stores.delete_job()
    assert stores.keys != {OTHER}


def test_a_job_is_its_users_alone(world: World, stores: Stores) -> None:
    with pytest.raises(JobNotFound):
        stores.delete_job(who=Caller(subject="stranger"))
    assert stores.done == ["status"]
    stores.delete_job(who=Caller(subject=world.job.user_id))


@pytest.mark.parametrize("job_id", ["nonsense", new_job_id(START, "unknown")])
def test_an_unknown_job(stores: Stores, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        stores.delete_job(job_id)
