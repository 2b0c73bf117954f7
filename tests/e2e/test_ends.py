"""Cancels, repetitions, repairs and outages on the running stack."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from devstack.replicate.faults import PredictionFails, PredictionSlow
from tests.support import web
from tests.support.api import unique
from tests.support.jobs import make_job
from tests.support.processes import children
from tests.support.stack import Stack
from tests.support.waiting import until
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.jobs.ids import new_job_id

pytestmark = pytest.mark.e2e


def cancel(stack: Stack, job_id: str) -> httpx.Response:
    return web.post(f"{stack.api.url}/jobs/{job_id}/cancel")


def test_a_running_job_is_canceled_at_the_provider(stack: Stack) -> None:
    prompt = unique("slow")
    stack.control.faults(
        PredictionSlow.model_validate({"match": {"prompt": prompt}, "running": 60})
    )
    job_id = stack.api.submit("flux-schnell", {"prompt": prompt})
    until(lambda: stack.api.status(job_id)["status"] == "processing")
    first = cancel(stack, job_id)
    assert first.status_code == 202
    assert first.json()["cancelRequested"] is True
    status = stack.api.finish(job_id)
    assert (status["status"], status["errorCode"]) == ("canceled", "JobCanceled")
    (prediction,) = [p for p in stack.control.predictions() if p.input.get("prompt") == prompt]
    assert prediction.status == "canceled"
    again = cancel(stack, job_id)
    assert again.status_code == 200
    assert again.json() == {"jobId": job_id, "status": "canceled", "cancelRequested": False}


def test_a_finished_job_cannot_be_canceled(stack: Stack) -> None:
    status = stack.api.run("flux-schnell", {"prompt": unique("quick")})
    answer = cancel(stack, status["jobId"])
    assert answer.json()["status"] == "succeeded"
    assert stack.api.status(status["jobId"])["status"] == "succeeded"


def test_an_interrupted_prediction_is_repeated_once(stack: Stack) -> None:
    prompt = unique("interrupted")
    error = "Prediction interrupted; please retry (code: PA)"
    stack.control.faults(
        PredictionFails.model_validate({"match": {"prompt": prompt}, "times": 1, "error": error})
    )
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert status["status"] == "succeeded", status
    made = [p for p in stack.control.predictions() if p.input.get("prompt") == prompt]
    assert [p.status for p in made] == ["failed", "succeeded"]
    assert sum(p.billed for p in made) == 1


def test_an_execution_stopped_by_hand_ends_its_job(stack: Stack) -> None:
    prompt = unique("stopped")
    stack.control.faults(
        PredictionSlow.model_validate({"match": {"prompt": prompt}, "running": 60})
    )
    job_id = stack.api.submit("flux-schnell", {"prompt": prompt})
    until(lambda: stack.api.status(job_id)["status"] == "processing")
    execution = stack.execution(job_id)
    stack.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    # Step Functions tells EventBridge, whose rule calls RepairExecution.
    status = stack.api.finish(job_id)
    assert (status["status"], status["errorCode"]) == ("failed", "ExecutionStopped")
    event = {"jobId": job_id}
    assert stack.invoke("RepairExecutionFunction", event)["result"] == "nothing to do"
    (prediction,) = [p for p in stack.control.predictions() if p.input.get("prompt") == prompt]
    assert prediction.status == "canceled"


@pytest.fixture
def postgres(stack: Stack) -> Iterator[Callable[[int], None]]:
    """Sends a signal to the whole of PostgreSQL: SIGSTOP is a database that hangs."""

    def send(number: int) -> None:
        server = stack.pid_of("postgres")
        for pid in (server, *children(server)):
            os.kill(pid, number)

    try:
        yield send
    finally:
        send(signal.SIGCONT)


def test_without_postgresql_new_jobs_are_refused_and_running_ones_wait(
    stack: Stack, postgres: Callable[[int], None]
) -> None:
    prompt = unique("outage")
    # Longer than the two seconds for which a status is remembered: the stage must be seen.
    stack.control.faults(PredictionSlow.model_validate({"match": {"prompt": prompt}, "running": 8}))
    running = stack.api.submit("flux-schnell", {"prompt": prompt})
    until(lambda: stack.api.status(running)["status"] == "processing")
    postgres(signal.SIGSTOP)
    refused = stack.api.generate("flux-schnell", {"prompt": unique("refused")})
    assert refused.status_code == 503, refused.text
    assert refused.json()["code"] == "StoreUnavailable"
    assert int(refused.headers["retry-after"]) > 0
    time.sleep(3)
    assert stack.api.status(running)["status"] in {"processing", "storing"}
    postgres(signal.SIGCONT)
    status = stack.api.finish(running)
    assert status["status"] == "succeeded", json.dumps(status)


def test_a_job_that_postgresql_alone_knows_is_ended(stack: Stack) -> None:
    """Its request broke off between the two writes; nobody asks again."""
    at = stack.now() - timedelta(hours=2)
    job = make_job(unique("forgotten"), at, job_id=new_job_id(at))
    with closing(PostgresConnection(lambda: stack.database_url)) as connection:
        PostgresJobRepository(connection).create_job(job, None)
    assert stack.invoke("RepairExecutionFunction", {"forgotten": True})["recorded"] >= 1
    status = stack.api.status(job.job_id)
    assert (status["status"], status["errorCode"]) == ("failed", "ExecutionStopped")
    assert "recorded" not in stack.invoke("RepairExecutionFunction", {"forgotten": True})
