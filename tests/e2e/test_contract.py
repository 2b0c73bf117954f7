"""The contract as clients meet it: one resource under two names, faults by their paths, words about a job."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from devstack.replicate.faults import PredictionFails
from tests.support import web
from tests.support.api import unique
from tests.support.receiver import Receiver, receiver
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture
def client() -> Iterator[Receiver]:
    with receiver() as client:
        yield client


def ask(stack: Stack, method: str, path: str, **more: Any) -> httpx.Response:
    return web.request(method, f"{stack.api.url}{path}", **more)


def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == "InvalidRequest"
    for fault in problem["fields"]:
        assert f"{fault['field']} {fault['message']}" in problem["detail"]
    return [fault["field"] for fault in problem["fields"]]


@pytest.mark.parametrize("route", ["/generate-media", "/jobs"])
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"userId": "e2e"}, ["modelId"]),
        ({"userId": "e2e", "modelId": 7, "parameters": "x"}, ["modelId", "parameters"]),
        (["x"], ["body"]),
        ("x", ["body"]),
        (
            {"modelId": "flux-schnell", "parameters": {"width": 9}, "metadata": {"a": 1}},
            ["userId", "metadata.a", "parameters.width", "parameters.prompt"],
        ),
    ],
)
def test_every_fault_of_the_main_route_has_its_path(
    stack: Stack, route: str, body: Any, wrong: list[str]
) -> None:
    assert fields(ask(stack, "POST", route, json=body)) == wrong


def test_what_is_no_json_says_so_as_every_other_fault(stack: Stack) -> None:
    sent: dict[str, Any] = {
        "content": b'{"userId":',
        "headers": {"Content-Type": "application/json"},
    }
    assert fields(ask(stack, "POST", "/jobs", **sent)) == ["body"]
    sent["content"] = b""
    assert fields(ask(stack, "POST", "/jobs", **sent)) in (["body"], ["userId", "modelId"])


def test_headers_and_query_are_checked_with_the_body(stack: Stack) -> None:
    answer = ask(
        stack, "POST", "/jobs", params={"wait": "5"}, json={}, headers={"Idempotency-Key": ""}
    )
    assert fields(answer) == ["Idempotency-Key", "wait", "userId", "modelId"]


def test_a_query_that_a_route_does_not_know_is_refused(stack: Stack) -> None:
    assert fields(ask(stack, "GET", "/jobs", params={"modelID": "flux-schnell"})) == ["modelID"]
    assert fields(ask(stack, "GET", "/models", params={"page": "2"})) == ["page"]
    twice = [("status", "failed"), ("status", "canceled")]
    assert fields(ask(stack, "GET", "/jobs", params=twice)) == ["status"]


def test_one_job_under_two_names(stack: Stack) -> None:
    key = unique("key")
    body: dict[str, Any] = {
        "userId": "two-names",
        "modelId": "flux-schnell",
        "prompt": unique("Ein Leuchtturm am Meer"),
        "metadata": {"order": unique("order")},
    }
    sent: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": key, "Prefer": "wait"}}
    first = ask(stack, "POST", "/jobs", **sent)
    assert first.status_code == 200, first.text
    assert first.headers["preference-applied"] == "wait=25"
    assert "idempotency-replayed" not in first.headers
    del sent["headers"]["Prefer"]
    again = ask(stack, "POST", "/generate-media", **sent)
    assert (again.status_code, again.json()["jobId"]) == (202, first.json()["jobId"])
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["status"] == "succeeded"
    job_id = again.json()["jobId"]
    whole = ask(stack, "GET", f"/status/{job_id}").json()
    assert ask(stack, "GET", f"/jobs/{job_id}").json() == whole
    assert (whole["userId"], whole["prompt"]) == ("two-names", body["prompt"])
    assert whole["metadata"] == body["metadata"]
    for query in (
        {"metadata[order]": body["metadata"]["order"]},
        {"q": f"leuchtturm {body['prompt'][-12:-2]}"},
    ):
        (found,) = ask(stack, "GET", "/jobs", params=query).json()["jobs"]
        assert found["jobId"] == job_id
        assert (found["prompt"], found["metadata"]) == (body["prompt"], body["metadata"])


def test_a_cursor_belongs_to_its_filters(stack: Stack) -> None:
    for _ in range(2):
        stack.api.run("flux-schnell", {"prompt": unique("page")}, user_id="pages")
    mine = {"userId": "pages", "limit": "1"}
    cursor = ask(stack, "GET", "/jobs", params=mine).json()["nextCursor"]
    assert ask(stack, "GET", "/jobs", params={**mine, "cursor": cursor}).json()["jobs"]
    other = {**mine, "cursor": cursor, "status": "succeeded"}
    assert fields(ask(stack, "GET", "/jobs", params=other)) == ["cursor"]


def test_what_the_provider_said_is_told_beside_what_it_means(stack: Stack) -> None:
    prompt = unique("it fails")
    said = "CUDA error: an illegal memory access\x1b[31m was encountered"
    stack.control.faults(
        PredictionFails.model_validate({"match": {"prompt": prompt}, "error": said})
    )
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert (status["status"], status["errorCode"]) == ("failed", "PredictionFailed")
    assert status["errorDetail"] == "CUDA error: an illegal memory access was encountered"


def test_a_client_hears_of_the_events_it_asked_for(stack: Stack, client: Receiver) -> None:
    asked = {"started": ["started"], "both": ["started", "ended"], "default": None}
    jobs = {}
    for name, events in asked.items():
        more: dict[str, Any] = {
            "callback_url": f"{client.origin}/{name}",
            "metadata": {"name": name},
        }
        more |= {"callback_events": events} if events else {}
        prompt = {"prompt": unique(name)}
        jobs[name] = stack.api.submit("flux-schnell", prompt, user_id="hears", **more)
    secret = ask(stack, "GET", "/webhook-secret", params={"userId": "hears"}).json()["secret"]
    heard = {
        "started": client.wait("/started"),
        "both": client.wait("/both", 2),
        "default": client.wait("/default"),
    }
    for name, messages in heard.items():
        told = [Webhook(secret).verify(each.body, each.headers) for each in messages]
        assert {each["event"] for each in told} == set(asked[name] or ["ended"])
        assert len({each.headers["webhook-id"] for each in messages}) == len(messages)
        for each in told:
            assert (each["userId"], each["metadata"]) == ("hears", {"name": name})
            assert each["jobId"] == jobs[name]
            known = {"started": {"processing", "succeeded"}, "ended": {"succeeded"}}
            assert each["status"] in known[each["event"]]
    stack.api.finish(jobs["started"])
    log = ask(stack, "GET", f"/jobs/{jobs['both']}/callbacks").json()["attempts"]
    assert {each["deliveryId"] for each in log} == {"start", "end"}
    assert json.loads(client.of("/default")[0].body)["prompt"]


def test_an_estimate_takes_the_prompt_like_a_job(stack: Stack) -> None:
    answer = ask(stack, "POST", "/models/flux-schnell/estimate", json={"prompt": "a fence"})
    assert answer.json()["estimatedCost"] == "0.003"
    wrong = {"prompt": "a fence", "parameters": {"prompt": "another"}}
    assert fields(ask(stack, "POST", "/models/flux-schnell/estimate", json=wrong)) == ["prompt"]


def test_a_problem_leads_to_the_page_that_explains_it(stack: Stack) -> None:
    problem = ask(stack, "GET", "/status/nothing").json()
    page, _, anchor = problem["type"].partition("#")
    shown = ask(stack, "GET", page)
    assert shown.headers["content-type"].startswith("text/html")
    assert f'<section id="{anchor}">' in shown.text
    assert anchor == problem["code"] == "JobNotFound"
