"""The DynamoDB in memory of the fault tests answers like moto, expression by expression.

The real adapter runs the same random operations over both; every answer, every refusal and every
item that is left must be the same.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.fault.harness.dynamodb import DynamoDBClient, condition, update
from tests.support.aws_calls import ByBoto3
from tests.support.jobs import create_table, make_asset, make_job
from tests.support.outside import START
from vsl.adapters.dynamodb import DynamoLiveJobs
from vsl.domain.errors import VslError
from vsl.domain.job import FinishedJob, JobEvent, JobStatus, Waste, WebhookReceipt
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome, Prediction, PredictionStatus
from vsl.domain.status import finished_document

JOBS = [make_job("job-0"), make_job("job-1", callback_url="https://client.example/ended")]
IDS = ["prediction-1", "prediction-2"]
STEPS = 40


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    with mock_aws():
        yield ByBoto3(boto3.client("dynamodb", region_name="us-east-1"))


def operation(draw: random.Random) -> tuple[str, Callable[[DynamoLiveJobs], object]]:
    """One call with arguments that often meet: few jobs, ids, attempts and tokens."""
    job = draw.choice(JOBS)
    at = START + timedelta(seconds=draw.randrange(600), milliseconds=draw.randrange(1000))
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
    )
    waste = Waste(replicate_id, at, "list", draw.choice([None, Decimal("0.003")]))
    logs = draw.choice(["", "booting", " 40%|"])
    running = Prediction(replicate_id, PredictionStatus.PROCESSING, logs=logs)
    seen = draw.choice([None, running])
    event = JobEvent(draw.choice(["storing", "stored"]), at, detail={"bytes": 12, "ratio": 0.5})
    moved = draw.choice([None, JobStatus.STORING])
    calls: dict[str, tuple[int, Callable[[DynamoLiveJobs], object]]] = {
        "create": (3, lambda live: live.create(job, later, draw_arn(attempt))),
        "write_intent": (4, lambda live: live.write_intent(job.job_id, attempt, at, later)),
        "withdraw_intent": (2, lambda live: live.withdraw_intent(job.job_id, attempt)),
        "record_prediction": (
            4,
            lambda live: live.record_prediction(job.job_id, attempt, replicate_id, at, "webhook"),
        ),
        "record_outcome": (
            4,
            lambda live: live.record_outcome(
                job.job_id, outcome, at, receipt if attempt else None, attempt or None
            ),
        ),
        "give_up": (3, lambda live: live.give_up_prediction(job.job_id, replicate_id, at)),
        "request_cancel": (1, lambda live: live.request_cancel(job.job_id, at)),
        "store_token": (3, lambda live: live.store_token(job.job_id, token, at)),
        "mark_released": (3, lambda live: live.mark_released(job.job_id, token, attempt, at)),
        "mark": (2, lambda live: live.mark(job.job_id, event, moved)),
        "record_start": (3, lambda live: live.record_start(job.job_id, receipt, attempt or None)),
        "add_waste": (2, lambda live: live.add_waste(job.job_id, waste)),
        "end_waste": (1, lambda live: live.end_waste(job.job_id, waste)),
        "follow": (1, lambda live: live.follow(job.job_id, later)),
        "unfollow": (2, lambda live: unfollow(live, job.job_id)),
        "reschedule": (2, lambda live: live.reschedule(job.job_id, later, seen)),
        "due": (3, lambda live: live.due(later, 1 + attempt)),
        # Of several with the same prediction DynamoDB promises no order.
        "find": (2, lambda live: live.find_job_id(replicate_id) is not None),
        "get": (1, lambda live: live.get(job.job_id)),
        "get_many": (1, lambda live: live.get_many([each.job_id for each in JOBS])),
        "delete": (1, lambda live: live.delete(job.job_id)),
        "mark_announced": (1, lambda live: live.mark_announced(job.job_id)),
        "finish": (1, lambda live: live.finish(end, finished_document(end))),
    }
    name = draw.choices(list(calls), [weight for weight, _ in calls.values()])[0]
    return name, calls[name][1]


def unfollow(live: DynamoLiveJobs, job_id: str) -> LiveJob | None:
    item = live.get(job_id)
    if item is not None:
        live.unfollow(item)
    return item


def draw_arn(number: int) -> str | None:
    return f"arn:execution:{number}" if number else None


def answer(call: Callable[[DynamoLiveJobs], object], live: DynamoLiveJobs) -> object:
    try:
        return call(live)
    except VslError as error:
        return error.code


@pytest.mark.parametrize("seed", range(12))
def test_both_answer_alike(seed: int, moto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = f"jobs-{seed}"
    create_table(moto, "JobsTable", table)
    memory = DynamoDBClient()
    draw = random.Random(seed)
    live = DynamoLiveJobs(table)
    seen = set()
    for number in range(STEPS):
        name, call = operation(draw)
        answers = []
        for client in (moto, memory):
            monkeypatch.setattr(
                "vsl.adapters.json_client.client", lambda _service, client=client: client
            )
            answers.append(answer(call, live))
        assert answers[0] == answers[1], f"step {number}: {name}"
        seen.add((name, answers[0] in (None, False)))
    items = {item["jobId"]["S"]: item for item in moto.scan(TableName=table)["Items"]}
    assert {job_id: ordered(item) for job_id, item in items.items()} == {
        job_id: ordered(item) for job_id, item in memory.items.items()
    }
    assert len(seen) > 10


def ordered(item: dict[str, Any]) -> dict[str, Any]:
    """Sets have no order."""
    return {
        name: {"SS": sorted(value["SS"])} if "SS" in value else value
        for name, value in item.items()
    }


@pytest.mark.parametrize("text", ["size(a) = :b", "a <> :b", "begins_with(a, :b)", "a BETWEEN :b"])
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
        patch.setattr("vsl.adapters.json_client.client", lambda _service: memory)
        live = DynamoLiveJobs("jobs")
        live.create(job, START, None)
        before = memory.items[job.job_id]
        live.mark(job.job_id, JobEvent("storing", START), JobStatus.STORING)
    assert before["status"] == {"S": "pending"}
    assert set(before["events"]["M"]) == {"created"}
