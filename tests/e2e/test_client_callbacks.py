"""A client hears of its job's end, signed, whatever the end; and again when it asks or was away."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from devstack.replicate.faults import PredictionFails, PredictionSlow
from tests.support import web
from tests.support.api import unique
from tests.support.receiver import Received, Receiver, receiver
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def client() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


def send(stack: Stack, method: str, path: str, **query: str) -> httpx.Response:
    return web.request(method, f"{stack.api.url}{path}", params=query)


def submit(stack: Stack, client: Receiver, path: str, prompt: str, **more: Any) -> str:
    return stack.api.submit(
        "flux-schnell", {"prompt": prompt}, callback_url=client.origin + path, **more
    )


def verified(stack: Stack, got: Received, user_id: str = "e2e") -> dict[str, Any]:
    """The body, if the library of Standard Webhooks takes the signature by the user's secret."""
    secret = send(stack, "GET", "/webhook-secret", userId=user_id).json()["secret"]
    body: dict[str, Any] = Webhook(secret).verify(got.body, got.headers)
    assert got.headers["webhook-id"] == f"msg_{body['jobId']}"
    return body


def test_every_end_is_told(stack: Stack, client: Receiver) -> None:
    failing, slow = unique("fails"), unique("slow")
    stack.control.faults(
        PredictionFails.model_validate({"match": {"prompt": failing}, "error": "out of memory"}),
        PredictionSlow.model_validate({"match": {"prompt": slow}, "running": 60}),
    )
    jobs = {
        "succeeded": submit(stack, client, "/succeeded", unique("fine")),
        "failed": submit(stack, client, "/failed", failing),
        "canceled": submit(stack, client, "/canceled", slow),
    }
    assert send(stack, "POST", f"/jobs/{jobs['canceled']}/cancel").status_code in {200, 202}
    for status, job_id in jobs.items():
        (got,) = client.wait(f"/{status}")
        body = verified(stack, got)
        assert (body["jobId"], body["status"]) == (job_id, status)
        known = stack.api.status(job_id)
        assert body.pop("event") == "ended"
        signed = {"result", "outputs"}  # their addresses are signed anew at each reading
        assert {k: v for k, v in body.items() if k not in signed} == {
            k: v for k, v in known.items() if k not in signed
        }
    told = json.loads(client.of("/succeeded")[0].body)["result"]["originalUrl"]
    assert web.get(told).status_code == 200


def test_who_was_away_is_called_again_and_may_ask_for_more(stack: Stack, client: Receiver) -> None:
    client.answers["/away"] = [500]
    job_id = submit(stack, client, "/away", unique("away"), user_id="callback-owner")
    first, second = client.wait("/away", 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    verified(stack, second, "callback-owner")
    asked = send(stack, "POST", f"/jobs/{job_id}/callbacks/replay", userId="callback-owner")
    assert asked.status_code == 202
    client.wait("/away", 3)
    attempts = settled(stack, job_id, 3)
    assert [(a["attempt"], a["outcome"], a["statusCode"]) for a in attempts] == [
        (1, "delivered", 204),
        (2, "delivered", 204),
        (1, "failed", 500),
    ]
    assert attempts[0]["deliveryId"] == asked.json()["deliveryId"]
    assert attempts[2]["response"] == "answer 500"
    assert attempts[2]["nextAttemptAt"] is not None
    for method, more in (("GET", ""), ("POST", "/replay")):
        answer = send(stack, method, f"/jobs/{job_id}/callbacks{more}", userId="stranger")
        assert (answer.status_code, answer.json()["code"]) == (404, "JobNotFound")
    duplicate(stack, job_id)
    assert len(client.of("/away")) == 3, "what is delivered is not sent again"


def test_a_deleted_job_calls_nobody(stack: Stack, client: Receiver) -> None:
    job_id = submit(stack, client, "/deleted", unique("deleted"))
    client.wait("/deleted")
    assert send(stack, "DELETE", f"/jobs/{job_id}").status_code == 204
    assert send(stack, "GET", f"/jobs/{job_id}/callbacks").status_code == 404
    duplicate(stack, job_id)
    assert len(client.of("/deleted")) == 1


def settled(stack: Stack, job_id: str, count: int) -> list[dict[str, Any]]:
    """The log, once so many attempts are in it: the answer comes before the record."""
    for _ in range(100):
        found = send(stack, "GET", f"/jobs/{job_id}/callbacks").json()["attempts"]
        if len(found) >= count:
            return list(found)
    raise AssertionError(found)


def duplicate(stack: Stack, job_id: str) -> None:
    """The queue's message a second time."""
    record = {
        "messageId": "m",
        "receiptHandle": "none",
        "body": json.dumps({"jobId": job_id}),
        "attributes": {"ApproximateReceiveCount": "2"},
    }
    answer = stack.invoke("DeliverCallbackFunction", {"Records": [record]})
    assert answer == {"batchItemFailures": []}
