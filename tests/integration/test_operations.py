"""The operator's questions against a real PostgreSQL."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.fakes import START
from tests.support.jobs import make_job
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.adapters.postgres.operations_queries import PostgresOperationsQueries
from vsl.domain.api.operations import Figures, Percentiles, Tally, Window
from vsl.domain.jobs.job import FinishedJob, Job, JobEvent, JobStatus, MediaType, OrphanedPrediction

pytestmark = pytest.mark.integration

WINDOW = Window(START, START + timedelta(hours=3))


@pytest.fixture
def repository(connection: PostgresConnection) -> PostgresJobRepository:
    return PostgresJobRepository(connection)


@pytest.fixture
def operations(connection: PostgresConnection) -> PostgresOperationsQueries:
    return PostgresOperationsQueries(connection)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def marks(start: float, source: str, *, queue: float, run: float, store: float) -> tuple[Any, ...]:
    """One second to submit, half a second until we are told."""
    submitted = start + 1
    completed = submitted + queue + run
    recorded = completed + 0.5
    times = {
        "startedAt": at(submitted + queue).isoformat(),
        "completedAt": at(completed).isoformat(),
    }
    return (
        JobEvent("submitted", at(submitted)),
        JobEvent("outcome_recorded", at(recorded), source, times),
        JobEvent("storing", at(recorded)),
        JobEvent("stored", at(recorded + store)),
    )


def end(
    repository: PostgresJobRepository, job: Job, status: JobStatus, seconds: float, **more: Any
) -> None:
    if status is JobStatus.FAILED:
        more = {"error_code": "PredictionFailed", "error_message": "no"} | more
    repository.finish_job(
        FinishedJob(job, status, job.created_at + timedelta(seconds=seconds), **more)
    )


def fill(repository: PostgresJobRepository) -> dict[str, str]:
    """An hour with three images, of which one failed; then a video; jobs on either side of it."""
    half = timedelta(minutes=30)
    jobs = {
        "before": make_job("before", START - timedelta(seconds=1)),
        "first": make_job("first", START),
        "second": make_job("second", at(100)),
        "failed": make_job("failed", at(200)),
        "video": make_job(
            "video", at(3600) + half, media_type=MediaType.VIDEO, model_id="minimax-video-01",
            estimated_cost=Decimal("0.5"),
        ),
        "running": make_job("running", at(7200)),
        "after": make_job("after", WINDOW.until),
    }  # fmt: skip
    for job in jobs.values():
        repository.create_job(job, None)
    orphan = OrphanedPrediction("w1", at(150), "poller", Decimal("0.003"))
    end(repository, jobs["before"], JobStatus.SUCCEEDED, 1, actual_cost=Decimal(9))
    end(
        repository, jobs["first"], JobStatus.SUCCEEDED, 10, actual_cost=Decimal("0.003"),
        predict_time=2.5, events=marks(0, "webhook", queue=1, run=3, store=0.25), orphans=(orphan,),
    )  # fmt: skip
    end(
        repository, jobs["second"], JobStatus.SUCCEEDED, 20, actual_cost=Decimal("0.003"),
        events=marks(100, "poller", queue=3, run=4, store=0.75),
    )  # fmt: skip
    end(repository, jobs["failed"], JobStatus.FAILED, 5, events=marks(
        200, "webhook", queue=100, run=100, store=100,
    ))  # fmt: skip
    end(repository, jobs["video"], JobStatus.CANCELED, 7, actual_cost=Decimal("0.25"))
    repository.record_orphan(
        jobs["before"].job_id, OrphanedPrediction("w2", at(-1), "poller", Decimal(7))
    )
    repository.record_orphan(jobs["first"].job_id, OrphanedPrediction("w3", at(1), "poller", None))
    return {name: job.job_id for name, job in jobs.items()}


def test_the_figures_of_a_window(
    repository: PostgresJobRepository, operations: PostgresOperationsQueries
) -> None:
    ids = fill(repository)
    found = operations.figures(WINDOW, 10)
    wall = Percentiles(15.0, 19.5, 19.9)
    images = Tally(2, 1, 0, 1, Decimal("0.006"), Decimal("0.012"), wall)
    video = Tally(canceled=1, spend=Decimal("0.25"), estimated=Decimal("0.5"))
    assert found.total == Tally(2, 1, 1, 1, Decimal("0.256"), Decimal("0.512"), wall)
    assert [(each.model_id, each.media_type, each.tally) for each in found.models] == [
        ("minimax-video-01", "video", video),
        ("flux-schnell", "image", images),
    ]
    assert {hour: (tally.succeeded, tally.canceled) for hour, tally in found.hours.items()} == {
        START: (2, 0),
        at(3600): (0, 1),
        at(7200): (0, 0),
    }
    assert found.failures == {"PredictionFailed": 1}
    assert found.woken_by == {"webhook": 2, "poller": 1}
    assert (found.orphaned_predictions, found.orphaned_cost) == (2, Decimal("0.003"))
    assert found.running == [ids["running"], ids["after"]], "whenever they were created"
    assert found.running_count == 2


def test_the_phases_of_succeeded_jobs(
    repository: PostgresJobRepository, operations: PostgresOperationsQueries
) -> None:
    fill(repository)
    phases = operations.figures(WINDOW, 10).phases
    medians = {name: times and times.p50 for name, times in phases.items()}
    assert medians == {"queue": 2.0, "run": 3.25, "notify": 0.5, "store": 0.5}
    assert phases["store"] is not None
    assert phases["store"].document() == {"p50": 0.5, "p95": 0.725, "p99": 0.745}


def test_a_provider_whose_clock_is_ahead_makes_no_time_negative(
    repository: PostgresJobRepository, operations: PostgresOperationsQueries
) -> None:
    job = make_job()
    times = {"startedAt": at(-60).isoformat(), "completedAt": at(60).isoformat()}
    events = (JobEvent("submitted", at(1)), JobEvent("outcome_recorded", at(2), "webhook", times))
    end(repository, job, JobStatus.SUCCEEDED, 3, events=events)
    phases = operations.figures(WINDOW, 10).phases
    assert phases["queue"] == phases["notify"] == Percentiles(0, 0, 0)


def test_nothing_at_all(operations: PostgresOperationsQueries) -> None:
    none = dict.fromkeys(("queue", "run", "notify", "store"))
    assert operations.figures(WINDOW, 10) == Figures(
        Tally(), [], {}, {}, none, {}, 0, Decimal(0), [], 0
    )


def test_the_ids_of_what_runs_are_bounded_their_number_is_not(
    repository: PostgresJobRepository, operations: PostgresOperationsQueries
) -> None:
    jobs = [make_job(f"j{number}", at(number)) for number in range(3)]
    for job in reversed(jobs):
        repository.create_job(job, None)
    found = operations.figures(WINDOW, 2)
    assert found.running == [job.job_id for job in jobs[:2]]
    assert found.running_count == 3
