"""Several outputs at once: order, limits, and what happens when one fails."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.unit.services.conftest import World
from vsl.domain.errors import (
    DownloadFailed,
    OutputExpired,
    OutputInvalid,
    OutputMissing,
    VslError,
)
from vsl.domain.job import Job, JobStatus, MediaAsset
from vsl.domain.prediction import Outcome, PredictionStatus
from vsl.services.store_media import OUTPUTS_AT_ONCE, store_media


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


def run(world: World, ended: Outcome, media: ScriptedMedia) -> tuple[MediaAsset, ...]:
    return store_media(world.job, ended, live=world.live, media=media, clock=world.clock)


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


def test_one_media_file_is_enough_and_none_is_an_error(world: World) -> None:
    assets = run(world, outcome("audio/wav", "application/zip"), ScriptedMedia())
    assert [asset.content_type for asset in assets] == ["audio/wav", "application/zip"]
    with pytest.raises(OutputInvalid) as caught:
        run(world, outcome("application/zip", "application/json"), ScriptedMedia())
    assert caught.value.details["contentTypes"] == ["application/json", "application/zip"]


def test_a_failure_stops_what_has_not_begun_and_waits_for_what_has(world: World) -> None:
    failed = threading.Event()

    def work(index: int) -> None:
        if index == 1:
            failed.set()
            raise DownloadFailed("gone")
        failed.wait(5)
        time.sleep(0.05)

    media = ScriptedMedia(work)
    with pytest.raises(DownloadFailed):
        run(world, outcome(*["image/png"] * 12), media)
    assert media.running == 0
    assert sorted(media.begun) == sorted(media.ended)
    assert len(media.begun) < 12
    assert "stored" not in {event.name for event in world.item().events}


def test_of_several_errors_the_first_in_order_is_raised(world: World) -> None:
    errors: dict[int, VslError] = {0: OutputExpired("0"), 2: DownloadFailed("2")}

    def work(index: int) -> None:
        if index in errors:
            time.sleep(0 if index else 0.05)
            raise errors[index]

    with pytest.raises(OutputExpired):
        run(world, outcome(*["image/png"] * 3), ScriptedMedia(work))
