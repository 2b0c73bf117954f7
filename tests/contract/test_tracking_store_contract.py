"""The DynamoDB in memory of the tests answers like moto, expression by expression.

The real adapter runs the same random operations over both; every answer, every refusal and every
item that is left must be the same.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.support.fakes import START
from tests.support.jobs import create_table, make_asset, make_job
from tests.support.memory_dynamodb import DynamoDBClient, condition, update
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import (
    FinishedJob,
    JobEvent,
    JobStatus,
    MediaType,
    OrphanedPrediction,
    WebhookReceipt,
)
from vsl.domain.jobs.status import finished_document
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.output import OutputKind
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus
from vsl.domain.predictions.search import Intent, Search

JOBS = [
    make_job("job-0"),
    make_job("job-1", callback_url="https://client.example/ended", weight=3),
    make_job("job-2", media_type=MediaType.TEXT, output=OutputKind.TEXT, estimated_cost=None),
]
IDS = ["prediction-1", "prediction-2"]
STEPS = 40
READS = {"get_item", "batch_get_item", "query", "scan"}


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")


def operation(draw: random.Random) -> tuple[str, Callable[[DynamoTrackingStore], object]]:
    """One call with arguments that often meet: few jobs, ids, attempts and tokens."""
    job = draw.choice(JOBS)
    at = START + timedelta(seconds=draw.randrange(600), microseconds=draw.randrange(1_000_000))
    later = at + timedelta(seconds=draw.randrange(200))
    attempt, replicate_id = draw.randrange(3), draw.choice(IDS)
    token = draw.choice(["token-1", "token-2"])
    receipt = WebhookReceipt(f"msg-{draw.randrange(3)}", replicate_id, "succeeded", at)
    outcome = Outcome(
        replicate_id,
        draw.choice([PredictionStatus.SUCCEEDED, PredictionStatus.FAILED]),
        draw.choice(["webhook", "poller"]),
        output=("https://replicate.delivery/a.webp",),
        predict_time=1.25,
        logs=draw.choice(["", "done", "100%|"]),
    )
    end = FinishedJob(
        job,
        draw.choice([JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED]),
        at,
        attempt=attempt,
        assets=(make_asset(),),
        logs=draw.choice([None, "the end"]),
        replicate_id=draw.choice([None, replicate_id]),
        settled=draw.random() < 0.5,
    )
    document = draw.choice([None, finished_document(end)])
    orphan = OrphanedPrediction(replicate_id, at, "list", draw.choice([None, Decimal("0.003")]))
    logs = draw.choice(["", "booting", " 40%|"])
    running = Prediction(replicate_id, PredictionStatus.PROCESSING, logs=logs)
    seen = draw.choice([None, running])
    event = JobEvent(draw.choice(["storing", "stored"]), at, detail={"bytes": 12, "ratio": 0.5})
    moved = draw.choice([None, JobStatus.STORING])
    certain = draw.random() < 0.3
    intent = Intent(draw.choice(["claim-1", "claim-2"]), "model", draw.choice(["", "text"]))
    search = Search(at, frozenset(draw.sample(IDS, draw.randrange(3))))
    calls: dict[str, tuple[int, Callable[[DynamoTrackingStore], object]]] = {
        "create": (3, lambda tracking: tracking.create(job, later, draw_arn(attempt))),
        "write_intent": (
            4,
            lambda tracking: tracking.write_intent(job.job_id, attempt, at, later, intent),
        ),
        "save_search": (2, lambda tracking: tracking.save_search(job.job_id, attempt, search)),
        "withdraw_intent": (
            2,
            lambda tracking: tracking.withdraw_intent(job.job_id, attempt, released=certain),
        ),
        "record_prediction": (
            4,
            lambda tracking: tracking.record_prediction(
                job.job_id, attempt, replicate_id, at, "webhook"
            ),
        ),
        "record_outcome": (
            4,
            lambda tracking: tracking.record_outcome(
                job.job_id, outcome, at, receipt if attempt else None, attempt or None
            ),
        ),
        "give_up": (3, lambda tracking: tracking.abandon_prediction(job.job_id, replicate_id, at)),
        "request_cancel": (1, lambda tracking: tracking.request_cancel(job.job_id, at)),
        "store_token": (3, lambda tracking: tracking.store_token(job.job_id, token, at)),
        "record_token_completed": (
            3,
            lambda tracking: tracking.record_token_completed(job.job_id, token, attempt, at),
        ),
        "mark": (2, lambda tracking: tracking.record_event(job.job_id, event, moved)),
        "record_start": (
            3,
            lambda tracking: tracking.record_start(job.job_id, receipt, attempt or None),
        ),
        "add_orphan": (2, lambda tracking: tracking.add_orphan(job.job_id, orphan)),
        "end_orphan": (1, lambda tracking: tracking.end_orphan(job.job_id, orphan)),
        "follow": (1, lambda tracking: tracking.schedule_check(job.job_id, later)),
        "stop_polling": (2, lambda tracking: stop_polling(tracking, job.job_id)),
        "reschedule": (2, lambda tracking: tracking.reschedule(job.job_id, later, seen)),
        "queue": (
            2,
            lambda tracking: tracking.join_queue(job.job_id, token, at, at + timedelta(hours=1)),
        ),
        "leave": (1, lambda tracking: tracking.leave_queue(job.job_id, token, at, later, later)),
        "queued": (
            2,
            lambda tracking: sorted(item.job.job_id for item in tracking.queued()),
        ),
        "due": (3, lambda tracking: tracking.due(later, 1 + attempt)),
        # Of several with the same prediction DynamoDB promises no order.
        "find": (2, lambda tracking: tracking.find_job_id(replicate_id) is not None),
        "get": (1, lambda tracking: tracking.get(job.job_id)),
        "get_many": (1, lambda tracking: tracking.get_many([each.job_id for each in JOBS])),
        "mark_deleted": (
            1,
            lambda tracking: tracking.mark_deleted(job.job_id, at, later, ended=certain),
        ),
        "deleted": (1, lambda tracking: tracking.deleted(job.job_id)),
        "forget": (2, lambda tracking: tracking.forget(job.job_id, at if certain else later)),
        "mark_published": (1, lambda tracking: tracking.mark_published(job.job_id)),
        "settle": (2, lambda tracking: tracking.settle(job.job_id, replicate_id, document)),
        "finish": (1, lambda tracking: tracking.finish(end, finished_document(end))),
    }
    name = draw.choices(list(calls), [weight for weight, _ in calls.values()])[0]
    return name, calls[name][1]


def stop_polling(tracking: DynamoTrackingStore, job_id: str) -> TrackedJob | None:
    item = tracking.get(job_id)
    if item is not None:
        tracking.stop_polling(item)
    return item


def draw_arn(number: int) -> str | None:
    return f"arn:execution:{number}" if number else None


def answer(call: Callable[[DynamoTrackingStore], object], tracking: DynamoTrackingStore) -> object:
    try:
        return call(tracking)
    except VslError as error:
        return error.code


@pytest.mark.parametrize("seed", range(12))
def test_both_answer_alike(seed: int, moto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = f"jobs-{seed}"
    create_table(moto, "JobsTable", table)
    memory = DynamoDBClient()
    draw = random.Random(seed)
    tracking = DynamoTrackingStore(table)
    seen = set()
    for number in range(STEPS):
        name, call = operation(draw)
        answers = []
        for client in (moto, memory):
            monkeypatch.setattr(
                "vsl.adapters.aws.clients.client", lambda _service, client=client: client
            )
            answers.append(answer(call, tracking))
        assert answers[0] == answers[1], f"step {number}: {name}"
        seen.add((name, answers[0] in (None, False)))
    items = {item["jobId"]["S"]: item for item in moto.scan(TableName=table)["Items"]}
    assert {job_id: ordered(item) for job_id, item in items.items()} == {
        job_id: ordered(item) for job_id, item in memory.items.items()
    }
    assert len(seen) > 10


@pytest.mark.usefixtures("moto")
def test_none_of_many_are_none() -> None:
    """DynamoDB refuses a BatchGetItem without a key."""
    assert DynamoTrackingStore("jobs").get_many([]) == {}


class Twice:
    """A client whose every answer to a write is lost once: the write stands, and is sent again."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._client, operation)

        def call(**arguments: Any) -> Any:
            with suppress(ClientError):
                method(**arguments)
            return method(**arguments)

        return method if operation in READS else call


@pytest.mark.parametrize("seed", range(40))
def test_a_write_that_is_sent_twice_is_one_write(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The adapter repeats a call whose answer was lost: what then refuses it is that very write."""
    draw = random.Random(seed)
    once, twice = DynamoDBClient(), DynamoDBClient()
    tracking = DynamoTrackingStore("jobs")
    for number in range(2 * STEPS):
        name, call = operation(draw)
        answers = []
        for client in (once, Twice(twice)):
            monkeypatch.setattr(
                "vsl.adapters.aws.clients.client", lambda _service, client=client: client
            )
            answers.append(answer(call, tracking))
        assert answers[0] == answers[1], f"step {number}: {name}"
        assert once.items == twice.items, f"step {number}: {name}"


def ordered(item: dict[str, Any]) -> dict[str, Any]:
    """Sets have no order."""
    return {
        name: {"SS": sorted(value["SS"])} if "SS" in value else value
        for name, value in item.items()
    }


@pytest.mark.parametrize("text", ["size(a) = :b", "a >= :b", "begins_with(a, :b)", "a BETWEEN :b"])
def test_what_it_does_not_know_raises(text: str) -> None:
    with pytest.raises(NotImplementedError):
        condition(text)


def test_an_unknown_update_raises() -> None:
    with pytest.raises(NotImplementedError):
        update("DELETE a :b")


def test_a_copy_is_not_shared() -> None:
    """Items are replaced, never changed: what was read before a write stays as it was."""
    memory = DynamoDBClient()
    job = replace(JOBS[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsl.adapters.aws.clients.client", lambda _service: memory)
        tracking = DynamoTrackingStore("jobs")
        tracking.create(job, START, None)
        before = memory.items[job.job_id]
        tracking.record_event(job.job_id, JobEvent("storing", START), JobStatus.STORING)
    assert before["status"] == {"S": "pending"}
    assert set(before["events"]["M"]) == {"created"}


def test_all_that_wait_are_found_page_by_page(moto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsl.adapters.aws.clients.client", lambda _service: moto)
    monkeypatch.setattr("vsl.adapters.dynamodb.tracking_queue.PAGE", 2)
    create_table(moto, "JobsTable", "jobs-queued")
    tracking = DynamoTrackingStore("jobs-queued")
    jobs = [make_job(f"waits {number}") for number in range(40)]
    for job in jobs:
        tracking.create(job, job.deadline, None)
        tracking.join_queue(job.job_id, "token", job.created_at, job.deadline)
    running = make_job("runs")
    tracking.create(running, running.deadline, None)
    tracking.schedule_check(running.job_id, running.deadline)
    found = {item.job.job_id for item in tracking.queued()}
    assert found == {job.job_id for job in jobs}
