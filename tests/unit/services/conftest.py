"""The use cases over the real DynamoDB adapter (moto), everything else in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import boto3
import pytest
from moto import mock_aws

from tests.support.jobs import create_table, make_job
from tests.support.outside import (
    FakeProvider,
    ForgetfulMemory,
    MemoryAccounting,
    RecordingCallbacks,
    RecordingMetrics,
    SteppedClock,
)
from vsl.adapters import aws
from vsl.adapters.dynamodb import DynamoLiveJobs
from vsl.domain.job import Job
from vsl.domain.live_job import LiveJob


@dataclass
class World:
    """One job's surroundings."""

    clock: SteppedClock
    live: DynamoLiveJobs
    provider: FakeProvider
    callbacks: RecordingCallbacks
    memory: ForgetfulMemory
    metrics: RecordingMetrics
    accounting: MemoryAccounting
    job: Job
    repaired: list[str] = field(default_factory=list)

    def item(self) -> LiveJob:
        found = self.live.get(self.job.job_id)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[object]:
    """One mocked DynamoDB a module: making clients is what costs, tables are cheap."""
    with mock_aws():
        aws.client.cache_clear()
        yield boto3.client("dynamodb")
        aws.client.cache_clear()


@pytest.fixture
def world(dynamodb: object, request: pytest.FixtureRequest) -> World:
    table = f"jobs-{abs(hash(request.node.name))}"
    create_table(dynamodb, "JobsTable", table)
    clock, job = SteppedClock(), make_job()
    live = DynamoLiveJobs(table)
    live.create(job, job.created_at.replace(hour=13), "arn:execution")
    return World(
        clock=clock,
        live=live,
        provider=FakeProvider(clock),
        callbacks=RecordingCallbacks(),
        memory=ForgetfulMemory(),
        metrics=RecordingMetrics(),
        accounting=MemoryAccounting(),
        job=job,
    )
