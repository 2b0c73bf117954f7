"""The stores in memory of the fault tests against the real ones: the same calls, the same answers."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fault.harness.clients import RedisClient
from tests.fault.harness.effects import Effects
from tests.fault.harness.job_repository import MemoryJobRepository
from tests.fault.harness.virtual_time import Scheduler
from tests.support.fakes import START
from tests.support.jobs import make_asset, make_job
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.adapters.redis.client import RedisClient as ClientOfRedis
from vsl.adapters.redis.rate_limits import RedisRateLimits
from vsl.adapters.redis.stores import RedisStatusCache, RedisWebhookDeduplication
from vsl.domain.api.limits import Limits, RecentJob
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import FinishedJob, JobEvent, JobStatus, OrphanedPrediction, WebhookReceipt
from vsl.domain.jobs.status import StatusDocument, status_document

pytestmark = pytest.mark.integration


ERRORS = ["RateLimitExceeded", "TooManyJobs", "PredictionFailed"]


def answer(call: Callable[..., object], *stores: object) -> object:
    try:
        return call(*stores)
    except VslError as error:
        return error.code


@pytest.mark.parametrize("seed", range(6))
def test_accounting(seed: int, connection: PostgresConnection) -> None:
    draw, memory = random.Random(seed), MemoryJobRepository()
    real = PostgresJobRepository(connection)
    jobs = [make_job(f"job-{n}", START + timedelta(seconds=n)) for n in range(3)]

    def operation() -> Callable[[Any], object]:
        job = draw.choice(jobs)
        at = START + timedelta(seconds=draw.randrange(60))
        cost = draw.choice([None, Decimal("0.003")])
        orphan = OrphanedPrediction(f"orphan-{draw.randrange(3)}", at, "webhook", cost)
        failed = draw.random() < 0.5
        name = draw.choice([f"paid-{job.job_id}", f"other-{job.job_id}"])
        took = draw.choice([None, 1.5])
        end = FinishedJob(
            job,
            draw.choice([JobStatus.FAILED, JobStatus.CANCELED]) if failed else JobStatus.SUCCEEDED,
            at,
            replicate_id=draw.choice([None, f"paid-{job.job_id}"]),
            attempt=1,
            assets=() if failed else (make_asset(),),
            error_code=draw.choice(ERRORS) if failed else None,
            error_message="no" if failed else None,
            actual_cost=cost,
            events=(JobEvent("created", at),),
            webhooks=(WebhookReceipt("msg", "id", "succeeded", at),),
            orphans=(orphan,) if draw.random() < 0.3 else (),
        )
        calls: list[Callable[[Any], object]] = [
            lambda it: it.create_job(job, None),
            lambda it: it.finish_job(end),
            lambda it: it.record_orphan(job.job_id, orphan),
            lambda it: it.settle_prediction(job.job_id, name, cost, took, took),
            lambda it: it.parameters(job.job_id),
            lambda it: settled(it.status(job.job_id)),
            lambda it: it.recent_jobs(job.user_id, START),
            lambda it: it.user_limits(job.user_id),
        ]
        return draw.choice(calls)

    for number in range(60):
        call = operation()
        assert answer(call, memory) == answer(call, real), f"step {number}"


def settled(document: StatusDocument | None) -> StatusDocument | None:
    """While a job runs, PostgreSQL stamps its row with its own clock."""
    if document is not None and document["completedAt"] is None:
        document["updatedAt"] = ""
    return document


@pytest.mark.parametrize("seed", range(4))
def test_redis(seed: int, redis_url: str, request: pytest.FixtureRequest) -> None:
    draw, scheduler = random.Random(seed), Scheduler()
    effects = Effects(scheduler, {})
    effects.off = True
    fake: Any = RedisClient(effects)
    job = make_job()
    documents = [
        status_document(job, status, START, replicate_id=status)
        for status in (JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.SUCCEEDED)
    ]

    def stores(client: Any) -> tuple[RedisRateLimits, RedisStatusCache, RedisWebhookDeduplication]:
        url = lambda: redis_url  # noqa: E731 - one per set of stores
        return (
            RedisRateLimits(url, client),
            RedisStatusCache(url, client),
            RedisWebhookDeduplication(url, client),
        )

    def operation(number: int) -> Callable[..., object]:
        at = START + timedelta(seconds=number * draw.randrange(1, 4))
        name, document = f"job-{draw.randrange(9)}", draw.choice(documents)
        limit = Limits(draw.randrange(6), draw.randrange(4))
        asking = make_job(name, at - timedelta(minutes=draw.choice([0, 0, 70])), timeout_seconds=60)
        queries = [
            RecentJob(
                f"job-{draw.randrange(9)}",
                START - timedelta(minutes=draw.randrange(90)),
                draw.choice([None, START, START + timedelta(minutes=4)]),
            )
            for _ in range(draw.randrange(3))
        ]
        calls: list[Callable[..., object]] = [
            lambda limits, _c, _m: limits.admit(asking, at, limit, lambda: None, lambda: queries),
            lambda limits, _c, _m: limits.admit(asking, at, limit, lambda: limit, lambda: queries),
            lambda limits, _c, _m: limits.release("user-1", asking.job_id),
            lambda limits, _c, _m: limits.withdraw("user-1", asking.job_id),
            lambda _l, cache, _m: cache.put(document),
            lambda _l, cache, _m: cache.get(job.job_id),
            *([lambda _l, cache, _m: cache.close(job.job_id)] if number > 40 else []),
            lambda _l, _c, seen: seen.seen(name),
            lambda _l, _c, seen: seen.remember(name),
        ]
        return draw.choice(calls)

    shared = ClientOfRedis(lambda: redis_url)
    request.addfinalizer(shared.close)
    memory, real = stores(fake), stores(shared)
    for number in range(60):
        call = operation(number)
        assert answer(call, *memory) == answer(call, *real), f"step {number}"
