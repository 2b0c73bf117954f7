"""Jobs that PostgreSQL alone knows are ended, and one that cannot be stops no other."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.support.fakes import START
from tests.support.jobs import make_job
from tests.unit.services.conftest import World
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.job import Job
from vsl.services.completion.end_forgotten import PATIENCE, EndForgotten


def run(world: World, *broken: Job) -> tuple[dict[str, int], list[str]]:
    ended: list[str] = []

    def repair(job_id: str, _reason: str, _given: Mapping[str, Any]) -> str:
        if job_id in {job.job_id for job in broken}:
            raise StoreUnavailable("DynamoDB is away.")
        ended.append(job_id)
        return "recorded"

    end_forgotten = EndForgotten(
        world.repository, world.tracking, world.clock, world.metrics, repair
    )
    return end_forgotten(), ended


def forgotten(world: World, *jobs: Job) -> None:
    for job in jobs:
        world.repository.create_job(job, None)


def test_a_job_without_an_item_is_ended_long_after_its_deadline(world: World) -> None:
    job = make_job("lost")
    forgotten(world, job)
    world.clock.at = job.deadline + PATIENCE - timedelta(seconds=1)
    assert run(world) == ({}, [])
    world.clock.at = job.deadline + PATIENCE + timedelta(seconds=1)
    assert run(world) == ({"recorded": 1}, [job.job_id])


def test_what_has_an_item_is_the_pollers(world: World) -> None:
    forgotten(world, world.job)
    world.clock.at = START + timedelta(days=1)
    assert run(world) == ({"followed": 1}, [])


def test_one_that_cannot_be_ended_stops_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken, fine = make_job("broken"), make_job("fine")
    forgotten(world, broken, fine)
    world.clock.at = START + timedelta(days=1)
    assert run(world, broken) == ({"failed": 1, "recorded": 1}, [fine.job_id])
    assert world.metrics.names() == ["ItemFailed"]
    assert broken.job_id in {getattr(record, "job_id", None) for record in caplog.records}
