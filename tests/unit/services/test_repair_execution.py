"""The repair ends jobs whose execution is over or never began, and no other."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.repair_execution import app
from tests.support.fakes import FakeExecutions
from tests.support.lambda_context import Context
from tests.unit.services.conftest import World
from tests.unit.services.test_ends import make_ends, submit
from tests.unit.services.test_poll_predictions import poll, wait
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.job import JobEvent, JobStatus, OrphanedPrediction
from vsl.domain.predictions.prediction import Outcome

ARN = "arn:execution"  # what the fixture's item was created with


@pytest.fixture
def ends(world: World) -> World:
    world.repository.create_job(world.job, ARN)
    return make_ends(world)


def repair(world: World, ends: World, running: set[str], arn: str | None = None) -> str:
    repair_execution = replace(ends, executions=FakeExecutions(running)).repair_execution
    return repair_execution(world.job.job_id, "gone", None, arn)


def storing(world: World) -> None:
    """A job whose prediction has succeeded, and whose output is being stored."""
    replicate_id = submit(world)
    wait(world)
    outcome = Outcome.of(world.provider.end(replicate_id), "webhook")
    world.tracking.record_outcome(world.job.job_id, outcome, world.clock.now())
    wait(world)
    world.tracking.record_event(
        world.job.job_id, JobEvent("storing", world.clock.now()), JobStatus.STORING
    )


def test_a_job_that_stores_its_output_is_left_alone(world: World, ends: World) -> None:
    """A duplicate's late webhook brings it back into the polling index, long after its deadline."""
    storing(world)
    world.clock.at = world.item().deadline
    duplicate = world.provider.create("model", {}, "https://x", 60)
    world.tracking.add_orphan(
        world.job.job_id, OrphanedPrediction(duplicate.id, world.clock.now(), "webhook")
    )
    poll(world)
    assert world.repaired == [world.job.job_id]
    assert repair(world, ends, {ARN}) == "still running"
    assert world.item().status is JobStatus.STORING
    assert world.repository.finished == {}
    assert world.provider.canceled == [duplicate.id]


@pytest.mark.parametrize("arn", [None, ARN], ids=["poller", "event"])
def test_an_execution_that_is_over_ends_its_job(world: World, ends: World, arn: str | None) -> None:
    storing(world)
    assert repair(world, ends, set(), arn) == "recorded"
    assert world.item().status is JobStatus.FAILED


def test_a_job_that_was_never_started_says_so(world: World, ends: World) -> None:
    """Its key is free then. The poller looks for it before its deadline."""
    world.clock.at = world.job.first_check - timedelta(seconds=1)
    poll(world)
    assert not world.repaired
    world.clock.advance(1)
    poll(world)
    assert world.repaired == [world.job.job_id]
    assert world.clock.now() < world.item().deadline
    result = replace(ends, executions=FakeExecutions((), {ARN})).repair_execution(
        world.job.job_id, "gone"
    )
    assert result == "recorded"
    assert world.item().never_started


def test_a_job_that_waits_for_its_first_attempt_is_left_alone(world: World, ends: World) -> None:
    world.clock.at = world.job.first_check
    poll(world)
    assert repair(world, ends, {ARN}) == "still running"
    assert not world.item().never_started


def test_a_job_that_began_was_started(world: World, ends: World) -> None:
    """Whatever Step Functions has forgotten, its client may have been told that it was accepted."""
    submit(world)
    replace(ends, executions=FakeExecutions((), {ARN})).repair_execution(world.job.job_id, "gone")
    assert world.item().status is JobStatus.FAILED
    assert not world.item().never_started


def test_the_end_of_another_execution_is_not_the_job_s(world: World, ends: World) -> None:
    """The same job started by hand under another name, and stopped again."""
    storing(world)
    assert repair(world, ends, {ARN}, "arn:another") == "still running"
    assert world.item().status is JobStatus.STORING


def test_an_execution_that_step_functions_still_shows_is_asked_for_again(
    world: World, ends: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DescribeExecution is eventually consistent, and no second event comes."""
    storing(world)
    assert repair(world, ends, {ARN}, ARN) == "not yet over"
    monkeypatch.setattr(app, "sweep_job", lambda: lambda _job_id: False)
    monkeypatch.setattr(
        app,
        "repair_execution",
        lambda: replace(ends, executions=FakeExecutions({ARN})).repair_execution,
    )
    detail = {"executionArn": ARN, "name": world.job.job_id, "status": "ABORTED", "startDate": 0}
    with pytest.raises(StoreUnavailable):
        app.handler({"detail": detail}, Context())
    assert world.item().status is JobStatus.STORING


def test_the_job_of_an_event_is_the_one_in_its_input(
    world: World, ends: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    storing(world)
    monkeypatch.setattr(app, "sweep_job", lambda: lambda _job_id: False)
    monkeypatch.setattr(
        app,
        "repair_execution",
        lambda: replace(ends, executions=FakeExecutions({ARN})).repair_execution,
    )
    detail = {
        "executionArn": "arn:another",
        "name": "by-hand",
        "status": "FAILED",
        "startDate": 0,
        "input": json.dumps({"job": world.job.document()}),
    }
    assert app.handler({"detail": detail}, Context())["result"] == "still running"
    assert world.item().status is JobStatus.STORING
