"""The callback cannot be lost: webhooks dropped, doubled, forged, early; Redis away."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from cli.doctor.site import local_site
from devstack.replicate.faults import PredictionSlow, WebhookFault
from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack
from tests.support.waiting import until
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import JobStatus, OrphanedPrediction
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.signature import sign

pytestmark = pytest.mark.e2e


def webhook_fault(prompt: str, kind: str, **more: object) -> WebhookFault:
    return WebhookFault.model_validate({"match": {"prompt": prompt}, "kind": kind, **more})


def test_a_dropped_webhook_is_made_good_by_the_poller(stack: Stack) -> None:
    prompt = unique("dropped")
    stack.control.faults(webhook_fault(prompt, "drop"))
    job_id = stack.api.submit("flux-schnell", {"prompt": prompt})
    while stack.api.status(job_id)["status"] not in {"storing", "succeeded"}:
        stack.invoke("PollPredictionsFunction", {})
        time.sleep(1)
    assert stack.api.finish(job_id)["status"] == "succeeded"
    item = stack.tracking_store().get(job_id)
    assert item is not None
    assert item.outcome is not None
    assert item.outcome.source == "poller"


def test_a_twin_found_after_the_end_is_stopped_and_booked_without_its_webhooks(
    stack: Stack,
) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("has a twin")})["jobId"]
    prompt = unique("twin")
    slow = PredictionSlow.model_validate({"match": {"prompt": prompt}, "running": 60})
    stack.control.faults(webhook_fault(prompt, "drop"), slow)
    with closing(local_site(stack.document)) as site:
        reference, webhook = "black-forest-labs/flux-schnell", webhook_url(site.api_url, job_id, 9)
        twin = site.provider.create(reference, {"prompt": prompt}, webhook, 300)
    stack.tracking_store().add_orphan(job_id, OrphanedPrediction(twin.id, stack.now(), "list"))
    while not (item := stack.tracking_store().get(job_id)) or item.unsettled_orphans:
        stack.invoke("PollPredictionsFunction", {})
        time.sleep(1)
    assert [p.status for p in stack.control.predictions() if p.id == twin.id] == ["canceled"]
    with psycopg.connect(stack.database_url) as connection:
        booked = "SELECT job_id::text, source FROM orphaned_predictions WHERE replicate_id = %s"
        assert connection.execute(booked, [twin.id]).fetchall() == [(job_id, "list")]


@pytest.mark.parametrize("kind", ["duplicate", "reorder", "early"])
def test_webhooks_out_of_order_end_the_job_once(stack: Stack, kind: str) -> None:
    prompt = unique(kind)
    stack.control.faults(webhook_fault(prompt, kind))
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert status["status"] == "succeeded", status
    (prediction,) = [p for p in stack.control.predictions() if p.input.get("prompt") == prompt]
    assert {delivery.status_code for delivery in prediction.deliveries} == {200}


def test_a_forged_webhook_changes_nothing(stack: Stack) -> None:
    prompt = unique("forged")
    stack.control.faults(webhook_fault(prompt, "forge"))
    job_id = stack.api.submit("flux-schnell", {"prompt": prompt})
    until(
        lambda: [
            delivery
            for prediction in stack.control.predictions()
            if prediction.input.get("prompt") == prompt
            for delivery in prediction.deliveries
            if delivery.status_code == 401
        ]
    )
    item = stack.tracking_store().get(job_id)
    assert item is not None
    assert item.outcome is None
    assert item.status is not JobStatus.SUCCEEDED


def test_a_signed_webhook_for_nobody_is_sent_again_later(stack: Stack) -> None:
    """404: the provider then retries, for the webhook may have outrun our own write."""
    job_id = new_job_id(stack.now(), "nobody")
    body = json.dumps({"id": "z" * 26, "status": "succeeded", "output": None}).encode()
    timestamp = str(int(time.time()))
    answer = web.post(
        f"{stack.api.url}/webhook/replicate",
        params={"jobId": job_id, "attempt": "1"},
        content=body,
        headers={
            "Content-Type": "application/json",
            "webhook-id": "msg_1",
            "webhook-timestamp": timestamp,
            "webhook-signature": "v1," + sign(stack.webhook_secret, "msg_1", timestamp, body),
        },
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "JobNotFound")


@pytest.fixture
def redis_away(stack: Stack) -> Iterator[None]:
    """Valkey accepts connections and answers nothing: the worst way to be away."""
    pid = stack.pid_of("valkey")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("redis_away")
def test_without_redis_it_is_only_slower(stack: Stack) -> None:
    status = stack.api.run("flux-schnell", {"prompt": unique("no Redis")})
    assert status["status"] == "succeeded", status
