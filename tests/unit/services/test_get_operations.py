"""The operator's figures: who may ask, what is asked, and what runs at this moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.fakes import START, StillQueue
from tests.support.jobs import INTENT, make_job
from tests.unit.services.conftest import World
from vsl.domain.api.caller import Caller
from vsl.domain.api.health import Alarm, ApiFigures
from vsl.domain.api.operations import Figures, ModelTally, Percentiles, Tally, Window
from vsl.domain.errors import (
    ConfigurationError,
    Forbidden,
    InvalidRequest,
    StoreUnavailable,
    VslError,
)
from vsl.domain.jobs.job import FinishedJob, Job, JobEvent, JobStatus
from vsl.domain.jobs.status import finished_document
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.api.get_operations import GetOperations

NOTHING = Figures(
    total=Tally(),
    models=(),
    hours={},
    failures={},
    phases={},
    woken_by={},
    orphaned_predictions=0,
    orphaned_cost=Decimal(0),
    running=(),
    running_count=0,
)


class Fixed:
    """PostgreSQL's answer, and what it was asked."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.windows: list[Window] = []

    def figures(self, window: Window, running: int) -> Figures:
        self.windows.append(window)
        return replace(self._figures, running=self._figures.running[:running])


class Platform:
    """CloudWatch's answer; `away`: it does not answer, or refuses."""

    def __init__(self, away: VslError | None = None) -> None:
        self._away = away
        self.asked: list[tuple[datetime, datetime]] = []

    def api(self, since: datetime, until: datetime) -> ApiFigures:
        self.asked.append((since, until))
        if self._away:
            raise self._away
        return ApiFigures(requests=100, refused=92, faults=1)

    def alarms(self) -> list[Alarm]:
        if self._away:
            raise self._away
        return [Alarm.described("spend", "ALARM", "It costs. https://run.book/#the-money")]


def use_case(
    world: World, figures: Figures | None = None, platform: Platform | None = None
) -> GetOperations:
    return GetOperations(
        Fixed(figures or NOTHING),
        world.tracking,
        StillQueue(3),
        platform or Platform(),
        world.clock,
    )


def ask(
    world: World, figures: Figures | None = None, who: Caller | None = None, **query: str
) -> dict[str, Any]:
    return use_case(world, figures)(query, who or Caller())


def running(*job_ids: str, more: int = 0) -> Figures:
    return replace(NOTHING, running=job_ids, running_count=len(job_ids) + more)


def tracking(world: World, number: int, status: JobStatus | None = None) -> Job:
    job = make_job(f"running-{number}", START + timedelta(seconds=number))
    world.tracking.create(job, START + timedelta(hours=1), None)
    if status:
        world.tracking.record_event(job.job_id, JobEvent(status.value, job.created_at), status)
    return job


def submit(world: World, job: Job, second: int) -> None:
    at = START + timedelta(seconds=second)
    assert world.tracking.write_intent(job.job_id, 1, at, at, INTENT)


@pytest.mark.parametrize("who", [Caller(subject="user-1"), Caller(named="user-1")])
def test_a_user_is_refused(world: World, who: Caller) -> None:
    with pytest.raises(Forbidden):
        ask(world, who=who)


@pytest.mark.parametrize("hours", ["0", "721", "-1", "1.5", "", "x", "²", "99999"])
def test_hours_have_bounds(world: World, hours: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ask(world, hours=hours)
    assert caught.value.details["fields"] == [
        {"field": "hours", "message": "must be a whole number from 1 to 720"}
    ]


@pytest.mark.parametrize(
    ("query", "hours"), [({}, 24), ({"hours": "1"}, 1), ({"hours": "720"}, 720)]
)
def test_the_window_ends_now(world: World, query: dict[str, str], hours: int) -> None:
    world.clock.at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    answer = ask(world, None, None, **query)
    assert answer["until"] == "2026-03-01T12:30:00.000Z"
    assert datetime.fromisoformat(answer["since"]) == world.clock.at - timedelta(hours=hours)
    assert len(answer["byHour"]) == hours + 1, "the first and the last one are cut"
    assert answer["byHour"][-1]["hour"] == "2026-03-01T12:00:00.000Z"


def test_a_window_of_full_hours_has_no_hour_too_many() -> None:
    window = Window(START, START + timedelta(hours=2))
    assert window.hours() == [START, START + timedelta(hours=1)]


def test_before_the_first_job_there_is_nothing_to_divide_by(world: World) -> None:
    answer = ask(world)
    assert answer["successRate"] is None
    assert answer["latency"] == {"p50": None, "p95": None, "p99": None, "phases": {}}
    assert answer["oldestWaiting"] is None
    assert answer["jobs"] == dict.fromkeys(JobStatus, 0)


def test_figures_become_the_document(world: World) -> None:
    times = Percentiles(1.23456, 2.0, 3.0)
    tally = Tally(3, 1, 5, 2, Decimal("0.123456"), Decimal("0.2"), times)
    figures = replace(
        NOTHING,
        total=tally,
        models=[ModelTally("flux-schnell", "image", tally)],
        hours={START - timedelta(hours=1): Tally(succeeded=2, spend=Decimal("0.01"))},
        failures={"PredictionFailed": 1},
        phases={"queue": times, "store": None},
        woken_by={"webhook": 3, "poller": 1},
        orphaned_predictions=2,
        orphaned_cost=Decimal("0.5"),
    )
    answer = ask(world, figures, hours="1")
    rounded = {"p50": 1.235, "p95": 2.0, "p99": 3.0}
    assert answer["successRate"] == 0.75, "a canceled job is nobody's failure"
    assert answer["latency"] == {**rounded, "phases": {"queue": rounded, "store": None}}
    assert answer["spend"] == {
        "total": "0.123456",
        "estimated": "0.2",
        "byModel": [
            {
                "modelId": "flux-schnell", "mediaType": "image", "succeeded": 3, "failed": 1,
                "canceled": 5, "running": 2, "successRate": 0.75, "latency": rounded,
                "spend": "0.123456", "estimated": "0.2",
            }
        ],
    }  # fmt: skip
    assert answer["orphaned"] == {"predictions": 2, "cost": "0.5"}
    assert answer["failures"] == [{"code": "PredictionFailed", "jobs": 1}]
    assert answer["wokenBy"] == {"webhook": 3, "poller": 1}
    assert answer["byHour"] == [
        {
            "hour": "2026-03-01T11:00:00.000Z", "succeeded": 2, "failed": 0, "canceled": 0,
            "spend": "0.01",
        }
    ]  # fmt: skip


def test_what_runs_stands_where_its_tracking_item_says(world: World) -> None:
    jobs = [
        tracking(world, 1),
        tracking(world, 2, JobStatus.PROCESSING),
        tracking(world, 3, JobStatus.STORING),
    ]
    ended = tracking(world, 4)
    end = FinishedJob(ended, JobStatus.FAILED, START, error_code="X")
    world.tracking.finish(end, finished_document(end))
    only_a_row = make_job("without an item")
    figures = running(*(job.job_id for job in [*jobs, ended, only_a_row]), more=7)
    found = ask(world, figures)["jobs"]
    assert {name: found[name] for name in ("pending", "processing", "storing")} == {
        "pending": 1 + 1 + 7,
        "processing": 1,
        "storing": 1,
    }


def test_the_live_items_are_read_a_hundred_at_a_time(world: World) -> None:
    ids = [tracking(world, number, JobStatus.PROCESSING).job_id for number in range(130)]
    assert ask(world, running(*ids))["jobs"]["processing"] == 130


def test_the_oldest_that_waits_for_its_prediction(world: World) -> None:
    world.clock.advance(60)
    told, late, early, new = (tracking(world, number) for number in range(4))
    for second, job in ((5, told), (20, late), (12, early)):
        submit(world, job, second)
    outcome = Outcome("p1", PredictionStatus.SUCCEEDED, "webhook")
    world.tracking.record_prediction(told.job_id, 1, "p1", START, "workflow")
    assert world.tracking.record_outcome(told.job_id, outcome, START).first
    answer = ask(world, running(*(job.job_id for job in (told, late, early, new))))
    assert answer["oldestWaiting"] == {
        "jobId": early.job_id,
        "since": "2026-03-01T12:00:12.000Z",
        "seconds": 48.0,
    }


def test_what_the_api_refused_stands_beside_the_jobs(world: World) -> None:
    platform = Platform()
    found = use_case(world, platform=platform)({"hours": "2"}, Caller())
    assert found["queued"] == 3
    assert found["api"] == {"requests": 100, "refused": 92, "faults": 1}
    assert found["alarms"] == [
        {
            "name": "spend",
            "state": "ALARM",
            "description": "It costs.",
            "runbook": "https://run.book/#the-money",
        }
    ]
    now = world.clock.now()
    assert platform.asked == [(now - timedelta(hours=2), now)]


@pytest.mark.parametrize("away", [StoreUnavailable("away"), ConfigurationError("refused")])
def test_a_platform_that_does_not_tell_hides_nothing_else(world: World, away: VslError) -> None:
    job = tracking(world, 1)
    found = use_case(world, running(job.job_id), Platform(away))({}, Caller())
    assert found["api"] is None
    assert found["alarms"] is None
    assert found["jobs"]["pending"] == 1
