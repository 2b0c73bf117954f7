"""Deleting a job: everything or again, wherever it dies on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.fakes import START, MemoryCache
from tests.support.jobs import INTENT, make_asset, make_job
from tests.support.template import resource
from tests.unit.services.conftest import World
from tests.unit.services.test_poll_predictions import poll
from vsl.adapters.aws import clients
from vsl.domain.api.caller import Caller
from vsl.domain.errors import JobDeleted, JobNotEnded, JobNotFound, StoreUnavailable
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import FinishedJob, JobEvent, JobStatus, OrphanedPrediction
from vsl.domain.jobs.object_keys import (
    JobPlace,
    media_prefix,
    record_key,
    thumbnail_prefix,
    upload_key,
)
from vsl.domain.jobs.status import StatusDocument, finished_document
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.api.delete_job import DeleteJob
from vsl.services.api.erase_job import SWEEP_AFTER, EraseJob
from vsl.services.api.sweep_job import SweepJob

EFFECTS = [
    "status", "get", "mark_deleted", "remove", "remove", "remove", "parameters", "uses_upload",
    "remove", "release", "close", "erase",
]  # fmt: skip
BACK_END = Caller()


@dataclass
class Stores:
    """PostgreSQL, S3 and Redis in memory; dies at effect number `dies_at`, before or after it."""

    world: World
    end: FinishedJob
    cache: MemoryCache = field(default_factory=MemoryCache)
    keys: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    erased_at: datetime | None = None
    upload_in_use: bool = False
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
            "get": self.world.tracking.get,
            "remove": self._remove,
            "deleted": self.world.tracking.deleted,
            "mark_deleted": self.world.tracking.mark_deleted,
            "forget": self.world.tracking.forget,
            "release": lambda _user_id, job_id: self.places.discard(job_id),
            "close": self.cache.close,
            "parameters": self._parameters,
            "uses_upload": lambda *_: self.upload_in_use,
            "erase": self._erase,
            "erased": self._erased,
        }
        target = targets[name]
        return lambda *given, **more: self.effect(name, lambda: target(*given, **more))

    def _status(self, job_id: str) -> StatusDocument | None:
        known = job_id == self.end.job.job_id and self.erased_at is None
        return finished_document(self.end) if known else None

    def _remove(self, prefix: str) -> int:
        gone = {key for key in self.keys if key.startswith(prefix)}
        self.keys -= gone
        return len(gone)

    def _erase(self, _job_id: str, at: datetime) -> None:
        self.erased_at = self.erased_at or at

    def _parameters(self, _job_id: str) -> dict[str, Any] | None:
        return None if self.erased_at else {"image": f"upload:{UPLOAD}", "prompt": "upload:none"}

    def _erased(self, _job_id: str) -> JobPlace | None:
        return JobPlace.of(self.end.job) if self.erased_at else None

    @property
    def erase_job(self) -> EraseJob:
        this: Any = self
        return EraseJob(
            repository=this,
            erasure=this,
            tracking=this,
            objects=this,
            limits=this,
            cache=this,
            clock=self.world.clock,
        )

    def delete_job(self, job_id: str | None = None, who: Caller = BACK_END) -> None:
        this: Any = self
        DeleteJob(this, this, this, self.erase_job)(job_id or self.world.job.job_id, who)

    def sweep(self) -> bool:
        this: Any = self
        return SweepJob(this, this, this, self.erase_job, self.world.clock)(self.world.job.job_id)

    def item(self) -> dict[str, Any]:
        """What DynamoDB has of the job."""
        found: dict[str, Any] = self.table.items.get(self.world.job.job_id, {})
        return found

    @property
    def table(self) -> Any:
        return clients.client("dynamodb")

    def traces(self) -> Sequence[str]:
        """Where the job can still be seen."""
        job_id = self.end.job.job_id
        found = ["S3"] if self.keys - {OTHER} else []
        found += ["DynamoDB"] if self.world.tracking.get(job_id) else []
        found += ["Redis"] if self.cache.get(job_id) else []
        return found + ([] if self.erased_at else ["PostgreSQL"])


OTHER = "media/user-1/image/2026/03/01/another-job/0-out.webp"
UPLOAD = new_job_id(START, "upload")


@pytest.fixture
def stores(world: World) -> Stores:
    end = FinishedJob(
        world.job, JobStatus.SUCCEEDED, START + timedelta(seconds=5), assets=(make_asset(),)
    )
    made = Stores(world, end)
    world.tracking.finish(end, finished_document(end))
    made.cache.put(finished_document(end))
    made.keys = {
        media_prefix(world.job) + "0-out.webp",
        media_prefix(world.job) + "1-never-booked.webp",
        thumbnail_prefix(world.job) + "0-out.webp",
        record_key(world.job, 0),
        upload_key(world.job.user_id, UPLOAD),
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


def test_a_place_that_the_end_did_not_give_back_is_free(stores: Stores) -> None:
    """Whoever ended the job died before; without an item nobody comes by for it."""
    stores.places = {stores.world.job.job_id, "another"}
    stores.delete_job()
    assert stores.places == {"another"}


def test_what_dynamodb_keeps_for_a_while_tells_nothing_of_the_user(stores: Stores) -> None:
    stores.delete_job()
    assert stores.item().keys() == {
        "jobId", "timestamp", "status", "deletedAt", "sweepAt", "inFlightShard", "nextCheckAt", "ttl"
    }  # fmt: skip
    assert not stores.sweep() or stores.item(), "too early: something may still be on its way"
    stores.world.clock.advance(SWEEP_AFTER.total_seconds())
    assert stores.sweep()
    assert stores.item() == {}
    assert not stores.world.tracking.deleted(stores.world.job.job_id)


def test_an_upload_that_another_job_names_stays(stores: Stores) -> None:
    stores.upload_in_use = True
    stores.delete_job()
    assert stores.keys == {OTHER, upload_key(stores.world.job.user_id, UPLOAD)}


def test_nothing_is_written_to_a_deleted_job(world: World, stores: Stores) -> None:
    """Whatever is still on its way: a step, a webhook, the poller, a client."""
    stores.delete_job()
    job_id, at = world.job.job_id, world.clock.now()
    buried = stores.item()
    with pytest.raises(JobDeleted):
        world.tracking.create(world.job, at, None)
    with pytest.raises(JobNotFound):
        world.tracking.store_token(job_id, "token", at)
    with pytest.raises(JobNotFound):
        world.tracking.record_prediction(job_id, 1, "p", at, "workflow")
    ended = Outcome("p", PredictionStatus.SUCCEEDED, "webhook")
    assert world.tracking.record_outcome(job_id, ended, at).item is None
    assert world.tracking.write_intent(job_id, 1, at, at, INTENT) is None
    assert world.tracking.request_cancel(job_id, at) is None
    assert not world.tracking.record_event(job_id, JobEvent("storing", at))
    world.tracking.add_orphan(job_id, OrphanedPrediction("q", at, "webhook"))
    world.tracking.schedule_check(job_id, at)
    world.tracking.mark_published(job_id)
    for status in JobStatus:
        if status.terminal:
            end = FinishedJob(world.job, status, at)
            assert world.tracking.finish(end, finished_document(end)) is None
    assert world.tracking.get_many([job_id]) == {}
    assert stores.item() == buried


def test_what_was_written_after_the_deletion_is_swept(world: World, stores: Stores) -> None:
    """StoreMedia died between its last file and its look at the job."""
    stores.delete_job()
    stores.keys.add(media_prefix(world.job) + "9-late.webp")
    world.clock.advance(SWEEP_AFTER.total_seconds() - 1)
    assert world.tracking.due(world.clock.now(), 10) == []
    world.clock.advance(1)
    assert world.tracking.due(world.clock.now(), 10) == [world.job.job_id]
    assert poll(world)["settled"] == 0
    assert world.repaired == [world.job.job_id]
    assert stores.sweep()
    assert (stores.keys, stores.item()) == ({OTHER}, {})


def test_a_deletion_that_died_is_ended_by_the_sweep(world: World, stores: Stores) -> None:
    stores.dies_at = EFFECTS.index("remove") + 1
    with pytest.raises(StoreUnavailable):
        stores.delete_job()
    assert stores.traces() == ["S3", "Redis", "PostgreSQL"]
    world.clock.advance(SWEEP_AFTER.total_seconds())
    assert stores.sweep()
    assert (stores.traces(), stores.item()) == ([], {})


def test_a_job_that_is_not_deleted_is_not_swept(stores: Stores) -> None:
    before = set(stores.keys)
    assert not stores.sweep()
    assert stores.keys == before


def test_an_item_that_came_back_is_removed_by_its_user_and_by_the_sweep(
    world: World, stores: Stores
) -> None:
    """PostgreSQL says deleted, and a step of an older version has written the job down once more."""
    stores.delete_job()
    for remove in (stores.delete_job, stores.sweep):
        stores.table.items.clear()
        world.tracking.create(world.job, world.job.deadline, None)
        stores.keys.add(media_prefix(world.job) + "0-out.webp")
        with pytest.raises(JobNotFound):
            stores.delete_job(who=Caller(subject="stranger"))
        remove()
        assert world.tracking.get(world.job.job_id) is None
        assert stores.keys == {OTHER}


@pytest.mark.parametrize("ended", [False, True])
def test_an_item_without_a_row_can_be_deleted_once_it_has_ended(
    world: World, stores: Stores, ended: bool
) -> None:
    stores.end = FinishedJob(make_job("another"), JobStatus.SUCCEEDED, START)
    if not ended:
        stores.table.items.clear()
        world.tracking.create(world.job, world.job.deadline, None)
        with pytest.raises(JobNotEnded):
            stores.delete_job()
    else:
        stores.delete_job()
        assert world.tracking.get(world.job.job_id) is None


def test_no_step_runs_any_more_when_a_deleted_job_is_swept() -> None:
    for function in ("StoreMedia", "CreateJob", "FinalizeJob", "RecordFailure"):
        seconds = resource(f"{function}Function")["Properties"]["Timeout"]
        assert timedelta(seconds=seconds) < SWEEP_AFTER


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
    stores.table.items.clear()
    world.tracking.create(other, other.created_at, None)
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
