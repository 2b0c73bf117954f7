"""Several outputs at once: order, limits, and what happens when one fails."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from tests.unit.services.conftest import World
from vsl.domain.errors import (
    DownloadFailed,
    DownloadRefused,
    JobCanceled,
    JobDeleted,
    OutputExpired,
    OutputInvalid,
    OutputMissing,
    StoreUnavailable,
    VslError,
)
from vsl.domain.jobs.job import FinishedJob, Job, JobStatus, MediaAsset
from vsl.domain.jobs.object_keys import JobPlace
from vsl.domain.jobs.status import finished_document
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.completion.store_media import DOWNLOAD_TRIES, OUTPUTS_AT_ONCE, StoreMedia


class ScriptedMedia:
    """Assets whose content type is the address; `work` may wait or raise."""

    def __init__(self, work: Callable[[int], None] = lambda _: None) -> None:
        self.work = work
        self.lock = threading.Lock()
        self.running = self.most = 0
        self.begun: list[int] = []
        self.ended: list[int] = []

    def store(self, job: Job, index: int, url: str) -> MediaAsset:
        with self.lock:
            self.begun.append(index)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.work(index)
        finally:
            with self.lock:
                self.running -= 1
                self.ended.append(index)
        return MediaAsset(index, f"media/{index}", url, 10, "0" * 64)


def outcome(*output: str) -> Outcome:
    return Outcome("prediction", PredictionStatus.SUCCEEDED, "webhook", output)


@dataclass
class Bucket:
    """Below which prefixes everything was removed."""

    removed: list[str] = field(default_factory=list)

    def remove(self, prefix: str) -> int:
        self.removed.append(prefix)
        return 1


def run(
    world: World, ended: Outcome, media: ScriptedMedia, bucket: Bucket | None = None
) -> tuple[MediaAsset, ...]:
    return StoreMedia(world.tracking, media, bucket or Bucket(), world.clock)(world.job, ended)


def test_the_order_of_the_outputs_is_kept(world: World) -> None:
    media = ScriptedMedia(lambda index: time.sleep(0.02 * (5 - index)))
    assets = run(world, outcome(*["image/png"] * 5), media)
    assert [asset.index for asset in assets] == [0, 1, 2, 3, 4]
    assert media.ended != sorted(media.ended)


def test_only_so_many_run_at_once(world: World) -> None:
    media = ScriptedMedia(lambda _: time.sleep(0.02))
    run(world, outcome(*["image/png"] * 8), media)
    assert media.most == OUTPUTS_AT_ONCE


def test_the_timeline_tells_when_storing_began_and_ended(world: World) -> None:
    def status(_: int) -> None:
        assert world.item().status is JobStatus.STORING
        world.clock.advance(1)

    run(world, outcome("video/mp4"), ScriptedMedia(status))
    marks = {event.name: event for event in world.item().events}
    assert (marks["stored"].at - marks["storing"].at).total_seconds() == 1
    assert marks["stored"].detail == {"files": 1, "bytes": 10}


def test_a_second_run_changes_no_mark(world: World) -> None:
    run(world, outcome("video/mp4"), ScriptedMedia())
    before = world.item().events
    world.clock.advance(5)
    run(world, outcome("video/mp4"), ScriptedMedia())
    assert world.item().events == before


def test_no_output_is_an_error_of_its_own(world: World) -> None:
    with pytest.raises(OutputMissing):
        run(world, outcome(), ScriptedMedia())
    with pytest.raises(OutputExpired):
        run(world, replace(outcome(), data_removed=True), ScriptedMedia())
    assert world.item().status is JobStatus.PENDING


def test_files_that_are_not_media_are_delivered_too(world: World) -> None:
    assets = run(world, outcome("application/octet-stream", "application/json"), ScriptedMedia())
    assert [asset.content_type for asset in assets] == [
        "application/octet-stream",
        "application/json",
    ]


def failing(errors: dict[int, VslError]) -> ScriptedMedia:
    def work(index: int) -> None:
        if index in errors:
            raise errors[index]

    return ScriptedMedia(work)


LAST_TRY = DownloadFailed("still broken", failures=DOWNLOAD_TRIES)


@pytest.mark.parametrize(
    "error",
    [OutputInvalid("empty"), OutputExpired("gone"), DownloadRefused("a licence's page"), LAST_TRY],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_file_does_not_lose_the_others(
    world: World, error: VslError, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    assets = run(world, outcome(*["image/png"] * 3), failing({place: error}))
    assert [asset.index for asset in assets] == [index for index in range(3) if index != place]
    stored = {event.name: event for event in world.item().events}["stored"]
    lost = [{"output": place, "code": error.code}]
    assert stored.detail == {"files": 2, "bytes": 20, "lost": lost}
    (line,) = [each for each in caplog.records if "output is left out" in each.message]
    assert (vars(line)["output_index"], vars(line)["error_code"]) == (place, error.code)


def test_only_when_every_file_is_bad_the_job_fails(world: World) -> None:
    errors: dict[int, VslError] = {0: OutputExpired("0"), 1: OutputInvalid("1"), 2: LAST_TRY}
    with pytest.raises(OutputExpired):
        run(world, outcome(*["image/png"] * 3), failing(errors))
    assert "stored" not in {event.name for event in world.item().events}


def test_a_download_that_breaks_off_does_not_keep_the_others_waiting(world: World) -> None:
    """So all files are tried in every run, and none has had fewer tries than another at the last."""
    media = failing({0: DownloadFailed("broke off", failures=1)})
    with pytest.raises(DownloadFailed):
        run(world, outcome(*["image/png"] * 12), media)
    assert sorted(media.begun) == list(range(12))


@pytest.mark.parametrize(
    "error",
    [DownloadFailed("broke off", failures=1), DownloadFailed("broke off"), StoreUnavailable("S3")],
)
def test_a_file_that_another_try_may_bring_is_tried_again(world: World, error: VslError) -> None:
    with pytest.raises(type(error)):
        run(world, outcome(*["image/png"] * 3), failing({0: OutputInvalid("0"), 2: error}))


def test_a_failure_stops_what_has_not_begun_and_waits_for_what_has(world: World) -> None:
    failed = threading.Event()

    def work(index: int) -> None:
        if index == 1:
            failed.set()
            raise StoreUnavailable("S3 did not answer.")
        failed.wait()
        time.sleep(0.05)

    media = ScriptedMedia(work)
    with pytest.raises(StoreUnavailable):
        run(world, outcome(*["image/png"] * 12), media)
    assert media.running == 0
    assert sorted(media.begun) == sorted(media.ended)
    assert len(media.begun) < 12
    assert "stored" not in {event.name for event in world.item().events}


def test_of_several_errors_the_first_that_a_retry_may_mend_is_raised(world: World) -> None:
    errors: dict[int, VslError] = {0: OutputExpired("0"), 2: DownloadFailed("2")}

    def work(index: int) -> None:
        if index in errors:
            time.sleep(0 if index else 0.05)
            raise errors[index]

    with pytest.raises(DownloadFailed):
        run(world, outcome(*["image/png"] * 3), ScriptedMedia(work))
    errors[0] = DownloadFailed("0")
    with pytest.raises(DownloadFailed, match='"0"'):
        run(world, outcome(*["image/png"] * 3), ScriptedMedia(work))


def end(world: World, status: JobStatus) -> None:
    """The execution was stopped, and the repair has ended the job."""
    finished = FinishedJob(world.job, status, world.clock.now())
    world.tracking.finish(finished, finished_document(finished))


def delete(world: World) -> None:
    end(world, JobStatus.CANCELED)
    world.tracking.mark_deleted(world.job.job_id, world.clock.now(), world.clock.now())


@pytest.mark.parametrize("fails", [False, True], ids=["stored", "failed"])
@pytest.mark.parametrize(
    ("meanwhile", "error"),
    [
        (delete, JobDeleted),
        (lambda world: end(world, JobStatus.FAILED), JobCanceled),
        (lambda world: end(world, JobStatus.CANCELED), JobCanceled),
    ],
    ids=["deleted", "failed", "canceled"],
)
def test_a_job_that_is_over_meanwhile_keeps_no_file(
    world: World, meanwhile: Callable[[World], None], error: type[VslError], fails: bool
) -> None:
    """Stopping an execution does not stop the step that runs."""

    def work(index: int) -> None:
        if index == 1:
            meanwhile(world)
            if fails:
                raise DownloadFailed("broken")

    bucket = Bucket()
    with pytest.raises(error):
        run(world, outcome(*["image/png"] * 2), ScriptedMedia(work), bucket)
    assert bucket.removed == list(JobPlace.of(world.job).prefixes)


def test_a_second_run_beside_a_succeeded_one_removes_nothing(world: World) -> None:
    bucket = Bucket()
    media = ScriptedMedia(lambda _: end(world, JobStatus.SUCCEEDED))
    assert len(run(world, outcome("image/png"), media, bucket)) == 1
    assert bucket.removed == []


def test_a_failure_of_a_job_that_goes_on_removes_nothing(world: World) -> None:
    def work(_: int) -> None:
        raise DownloadFailed("broken")

    bucket = Bucket()
    with pytest.raises(DownloadFailed):
        run(world, outcome("image/png"), ScriptedMedia(work), bucket)
    assert bucket.removed == []
