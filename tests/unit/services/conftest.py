"""The use cases over the real DynamoDB adapter, everything outside of it in memory."""

from dataclasses import dataclass, field

import pytest

from tests.fault.harness.dynamodb import DynamoDBClient
from tests.support.jobs import make_job
from tests.support.outside import (
    FakeProvider,
    ForgetfulMemory,
    MemoryAccounting,
    RecordingCallbacks,
    RecordingMetrics,
    SteppedClock,
)
from vsl.adapters import json_client
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


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """DynamoDB in memory: it evaluates the adapter's own expressions, and a contract test compares
    it with moto."""
    table = DynamoDBClient()
    monkeypatch.setattr(json_client, "client", lambda _service: table)
    clock, job = SteppedClock(), make_job()
    live = DynamoLiveJobs("jobs")
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
