"""Many jobs at once: the poller serves them all, within the provider's pace, and none stops another."""

import itertools
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.fakes import FakeProvider, SteppedClock
from tests.support.jobs import INTENT, make_job
from tests.unit.services.conftest import World
from vsl.adapters.aws import clients
from vsl.domain.errors import ProviderThrottled, ProviderUnavailable, VslError
from vsl.domain.jobs.job import Job
from vsl.domain.predictions.prediction import Prediction
from vsl.services.waiting.check_job import FAULTY_DELAY
from vsl.services.waiting.look_ahead import ENOUGH, GAP, LookAhead
from vsl.services.waiting.pace import LIST_PAGE, Pace, PacedProvider
from vsl.services.waiting.poll_predictions import BATCH
from vsl.services.waiting.record_outcome import RecordOutcome

PER_SECOND = 40


@pytest.fixture
def jobs(world: World) -> list[Job]:
    """Those besides the world's own, which has nothing to ask about."""
    world.tracking.postpone(world.job.job_id, world.clock.now() + timedelta(days=1))
    return []


def add(world: World, jobs: list[Job], count: int, *, ended: bool = True) -> list[Job]:
    """Jobs that were submitted a moment ago, a hundred a second, whose webhooks are lost, and that wait."""
    made = []
    for number in range(len(jobs), len(jobs) + count):
        at = world.clock.now() - timedelta(seconds=30) + timedelta(milliseconds=10 * number)
        job = make_job(f"job-{number}", at)
        world.tracking.create(job, job.deadline, None)
        world.tracking.write_intent(job.job_id, 1, at, at + timedelta(seconds=10), INTENT)
        clock = SteppedClock(at)
        provider = FakeProvider(clock)
        provider.predictions = world.provider.predictions
        provider._numbers = itertools.count(len(world.provider.predictions) + 1)
        prediction = provider.create("model", {}, f"https://x?{number}", 60)
        world.tracking.record_prediction(job.job_id, 1, prediction.id, at, "workflow")
        world.tracking.store_token(job.job_id, f"token-{number}", at)
        if ended:
            provider.end(prediction.id)
        made.append(job)
    jobs += made
    return made


def run(
    world: World,
    *,
    seconds: float = 40,
    pace: Pace | None = None,
    reported: list[tuple[str, str]] | None = None,
) -> dict[str, int]:
    def report(job_id: str, error: VslError) -> None:
        if reported is not None:
            reported.append((job_id, error.code))

    provider = PacedProvider(world.provider, pace) if pace else None
    poll_predictions = world.poll_predictions(report, world.repaired.append, provider)
    return poll_predictions(world.clock.now() + timedelta(seconds=seconds))


def table() -> Any:
    return clients.client("dynamodb")


def spoil(job: Job, change: Mapping[str, Any], *without: str) -> None:
    """The item as another version, or a hand, has left it."""
    item = {**table().items[job.job_id], **change}
    table().items[job.job_id] = {name: item[name] for name in item if name not in without}


def test_a_run_serves_more_than_a_batch(world: World, jobs: list[Job]) -> None:
    count = BATCH + 500
    add(world, jobs, count)
    assert run(world) == {"settled": count, "waiting": 0, "failed": 0, "left": 0}
    assert len(world.tokens.answers) == count
    assert len(world.provider.asked) < count / 10, "a page of the list stands for a hundred"


BROKEN: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no user": ({}, ("userId",)),
    "no model": ({}, ("modelId",)),
    "an unknown kind": ({"mediaType": {"S": "hologram"}}, ()),
    "an unknown status": ({"status": {"S": "dreaming"}}, ()),
    "a number that is none": ({"attempt": {"S": "many"}}, ()),
    "a list for a map": ({"events": {"L": [{"S": "x"}]}}, ()),
    "an outcome without its status": ({"outcome": {"M": {"replicateId": {"S": "p"}}}}, ()),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_an_item_that_cannot_be_read_stops_no_other(
    world: World, jobs: list[Job], fault: str
) -> None:
    bad, *good = add(world, jobs, 5)
    change, without = BROKEN[fault]
    spoil(bad, change, *without)
    reported: list[tuple[str, str]] = []
    assert run(world, reported=reported) == {"settled": 4, "waiting": 0, "failed": 1, "left": 0}
    assert reported == [(bad.job_id, "InternalError")]
    assert world.metrics.names().count("ItemFailed") == 1
    assert {token for token, _ in world.tokens.results()} == {
        f"token-{number}" for number in range(1, 5)
    }
    assert run(world)["failed"] == 0, "put back with a delay"
    world.clock.advance(FAULTY_DELAY.total_seconds())
    assert run(world, reported=reported)["failed"] == 1
    assert good


@pytest.mark.parametrize(
    "without",
    ["estimatedTime", "estimatedCost", "timeoutSeconds", "reruns", "createdAt", "updatedAt", "status",
     "deadlineAt", "events", "webhooks", "orphans", "checkCount", "price"],
)  # fmt: skip
def test_what_an_older_version_did_not_write_has_a_default(
    world: World, jobs: list[Job], without: str
) -> None:
    (job,) = add(world, jobs, 1)
    if without in {"events", "webhooks", "orphans"}:
        table().items[job.job_id] = {**table().items[job.job_id], without: {"M": {}}}
    else:
        spoil(job, {}, without)
    item = world.tracking.get(job.job_id)
    assert item is not None
    assert item.job.created_at == job.created_at
    assert item.deadline >= job.created_at
    assert run(world)["settled"] == 1


def test_an_exception_of_one_check_stops_no_other(
    world: World, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add(world, jobs, 4)
    works = RecordOutcome.__call__

    def trips(use_case: RecordOutcome, job_id: str, *given: Any) -> Any:
        if job_id == made[0].job_id:
            raise KeyError("unforeseen")
        return works(use_case, job_id, *given)

    monkeypatch.setattr(RecordOutcome, "__call__", trips)
    assert run(world) == {"settled": 3, "waiting": 0, "failed": 1, "left": 0}
    assert "ItemFailed" in world.metrics.names()


def test_a_store_that_is_away_is_no_fault_of_an_item(world: World, jobs: list[Job]) -> None:
    def down() -> None:
        raise ProviderUnavailable("down")

    add(world, jobs, 3)
    world.provider.before_read = down
    assert run(world)["failed"] == 3
    assert world.metrics.names() == []


def test_a_provider_that_refuses_ends_the_run(world: World, jobs: list[Job]) -> None:
    def throttled() -> None:
        raise ProviderThrottled("slow down", retryAfter=9)

    add(world, jobs, 3)
    world.provider.before_read = throttled
    assert run(world) == {"settled": 0, "waiting": 0, "failed": 3, "left": 0}


def test_what_is_left_when_the_time_is_used_is_told(world: World, jobs: list[Job]) -> None:
    """The clock moves with each question, as the provider's pace has it."""
    add(world, jobs, 15)  # fewer than are worth a list
    pace = Pace(PER_SECOND, world.clock, world.clock.advance)
    counts = run(world, seconds=0.2, pace=pace)
    assert counts["left"] == 15 - counts["settled"]
    assert 0 < counts["settled"] < 15
    assert run(world, pace=pace)["settled"] == counts["left"]


def test_questions_keep_the_pace(world: World, jobs: list[Job]) -> None:
    add(world, jobs, 15, ended=False)
    began = world.clock.now()
    pace = Pace(PER_SECOND, world.clock, world.clock.advance)
    assert run(world, pace=pace)["waiting"] == 15
    assert pace.calls == len(world.provider.asked) == 15
    assert (world.clock.now() - began).total_seconds() >= 14 / PER_SECOND


def test_the_pace_holds_over_all_threads() -> None:
    """Each waiting thread gets the next turn, and no two the same."""
    clock, lock = SteppedClock(), threading.Lock()
    turns: list[float] = []

    def sleep(seconds: float) -> None:
        with lock:
            turns.append(round(seconds, 6))

    pace = Pace(10, clock, sleep)
    threads = [threading.Thread(target=pace.wait) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == [round(number / 10, 6) for number in range(1, 50)]
    clock.advance(60)
    pace.wait()
    assert len(turns) == 49, "time that passed is not saved up, nor subtracted"


def test_a_page_of_the_list_is_a_question(world: World) -> None:
    pace = Pace(PER_SECOND, world.clock, world.clock.advance)
    for _ in range(250):
        world.provider.create("model", {}, "https://x", 60)
    since = world.clock.now() - timedelta(seconds=1)
    listed = list(PacedProvider(world.provider, pace).list_since(since))
    assert (len(listed), pace.calls) == (250, 3)
    assert LIST_PAGE == 100


def test_an_overdue_job_is_looked_at_once_a_run(
    world: World, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays due until it is settled, and would be the first of every round."""
    (job,) = add(world, jobs, 1, ended=False)
    world.clock.at = job.deadline

    def goes_on(replicate_id: str) -> Prediction | None:
        """A provider that takes its time."""
        return world.provider.predictions[replicate_id]

    monkeypatch.setattr(world.provider, "cancel", goes_on)
    assert run(world) == {"settled": 0, "waiting": 1, "failed": 0, "left": 0}
    world.clock.advance(60)
    assert run(world)["waiting"] == 1


# --- looking ahead -----------------------------------------------------------------------------------


def ahead(world: World, jobs: list[Job], provider: Any = None) -> dict[str, Prediction]:
    items: list[Any] = [world.tracking.get(job.job_id) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        return LookAhead(provider or world.provider)(items, pool)


def test_few_jobs_are_asked_about_one_by_one(world: World, jobs: list[Job]) -> None:
    add(world, jobs, ENOUGH - 1)
    assert ahead(world, jobs) == {}
    assert world.provider.listed == 0
    add(world, jobs, 1)
    assert len(ahead(world, jobs)) == ENOUGH
    assert world.provider.listed == 1


def test_jobs_of_another_time_are_another_list(world: World, jobs: list[Job]) -> None:
    add(world, jobs, ENOUGH)
    world.clock.advance(GAP.total_seconds() + 1)
    add(world, jobs, ENOUGH)
    assert len(ahead(world, jobs)) == 2 * ENOUGH
    assert world.provider.listed == 2


def test_others_predictions_are_not_paged_through_for_ever(world: World, jobs: list[Job]) -> None:
    add(world, jobs, ENOUGH)
    for prediction in list(world.provider.predictions.values()):
        for number in range(100):
            other = replace(prediction, id=f"{prediction.id}-{number}")
            world.provider.predictions[other.id] = other
    read = itertools.count()

    class Counting:
        def list_since(self, *bounds: Any) -> Any:
            for prediction in world.provider.list_since(*bounds):
                next(read)
                yield prediction

    counting: Any = Counting()
    found = ahead(world, jobs, counting)
    assert len(found) < ENOUGH
    assert next(read) <= ENOUGH / 2 * LIST_PAGE


def test_a_list_that_keeps_outputs_back_tells_no_end(world: World, jobs: list[Job]) -> None:
    add(world, jobs, ENOUGH)

    def without_output(prediction: Prediction) -> Prediction:
        return replace(prediction, output=None)

    known = dict(world.provider.predictions)
    world.provider.predictions = {name: without_output(p) for name, p in known.items()}
    assert ahead(world, jobs) == {}
    world.provider.predictions = known


def test_a_list_that_cannot_be_read_is_no_obstacle(world: World, jobs: list[Job]) -> None:
    add(world, jobs, ENOUGH)
    first = [True]

    def down_once() -> None:
        if first and first.pop():
            raise ProviderUnavailable("down")

    world.provider.before_read = down_once
    assert run(world)["settled"] == ENOUGH
