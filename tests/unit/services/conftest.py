"""The use cases over the real DynamoDB adapter, everything outside of it in memory."""

from dataclasses import dataclass, field

import pytest

from tests.support.fakes import (
    FakeProvider,
    ForgetfulDeduplication,
    MemoryCache,
    MemoryJobRepository,
    RecordingCallbacks,
    RecordingMetrics,
    SteppedClock,
)
from tests.support.jobs import make_job
from tests.support.memory_dynamodb import DynamoDBClient
from tests.support.use_cases import UseCases
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.domain.jobs.job import Job
from vsl.domain.jobs.tracked_job import TrackedJob


@dataclass(kw_only=True)
class World(UseCases):
    """One job, and the use cases over its stand-ins."""

    clock: SteppedClock
    tracking: DynamoTrackingStore
    provider: FakeProvider
    tokens: RecordingCallbacks
    deduplication: ForgetfulDeduplication
    metrics: RecordingMetrics
    repository: MemoryJobRepository
    job: Job
    cache: MemoryCache = field(default_factory=MemoryCache)
    repaired: list[str] = field(default_factory=list)

    def item(self) -> TrackedJob:
        found = self.tracking.get(self.job.job_id)
        assert found is not None
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """DynamoDB in memory: it evaluates the adapter's own expressions, and a contract test compares
    it with moto."""
    table = DynamoDBClient()
    monkeypatch.setattr(clients, "client", lambda _service: table)
    clock, job = SteppedClock(), make_job()
    tracking = DynamoTrackingStore("jobs")
    tracking.create(job, job.created_at.replace(hour=13), "arn:execution")
    return World(
        clock=clock,
        tracking=tracking,
        provider=FakeProvider(clock),
        tokens=RecordingCallbacks(),
        deduplication=ForgetfulDeduplication(),
        metrics=RecordingMetrics(),
        repository=MemoryJobRepository(),
        job=job,
    )
