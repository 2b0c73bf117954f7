"""Answers are lost on the way: how often a prediction is paid, by what the client and its key say."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.api import unique
from tests.support.cutting_proxy import cutting_proxy
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

RETRIES = 2
COUNT = "x-stainless-retry-count"
SCHNELL = "/replicate/v1/models/black-forest-labs/flux-schnell/predictions"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=60) as client:
        yield client


def paid(stack: Stack, prompt: str) -> int:
    return len([each for each in stack.control.predictions() if each.input.get("prompt") == prompt])


def submission(route: str, prompt: str) -> dict[str, object]:
    if route == SCHNELL:
        return {"input": {"prompt": prompt}}
    return {"userId": "repeats", "modelId": "flux-schnell", "parameters": {"prompt": prompt}}


def ask(http: httpx.Client, url: str, body: object, count: int | None) -> httpx.Response | None:
    """As a client that Stainless generates: None where the answer is lost."""
    headers = {} if count is None else {COUNT: str(count)}
    try:
        answer = http.post(url, json=body, headers=headers)
    except httpx.TransportError:
        return None
    return answer if answer.is_success else None


@pytest.mark.parametrize("how", ["cut", "reset", "504"])
@pytest.mark.parametrize("route", ["/generate-media", SCHNELL])
def test_a_marked_retry_is_never_paid_twice(
    stack: Stack, http: httpx.Client, route: str, how: str
) -> None:
    prompt = unique("lost answers")
    body = submission(route, prompt)
    with cutting_proxy(stack.document["apiUrl"], lose=RETRIES, how=how) as proxy:
        answers = [ask(http, proxy.url + route, body, count) for count in range(RETRIES + 1)]
    assert proxy.lost == RETRIES
    assert answers[:RETRIES] == [None] * RETRIES
    assert answers[-1] is not None
    job_id = answers[-1].json().get("jobId") or answers[-1].json()["id"]
    assert stack.api.finish(job_id)["status"] == "succeeded"
    assert paid(stack, prompt) == 1


def test_what_a_client_does_not_mark_is_paid_as_often_as_it_is_sent(
    stack: Stack, http: httpx.Client
) -> None:
    prompt = unique("not marked")
    with cutting_proxy(stack.document["apiUrl"], lose=1) as proxy:
        for _ in range(2):
            answer = ask(http, proxy.url + SCHNELL, submission(SCHNELL, prompt), None)
    assert answer is not None
    assert stack.api.finish(answer.json()["id"])["status"] == "succeeded"
    listed = http.get(f"{stack.document['apiUrl']}/replicate/v1/predictions").json()["results"]
    ids = [each["id"] for each in listed if each["input"].get("prompt") == prompt]
    for job_id in ids:
        stack.api.finish(job_id)
    assert (len(ids), paid(stack, prompt)) == (2, 2)


def test_retries_at_the_same_time_are_one_job(stack: Stack, http: httpx.Client) -> None:
    prompt = unique("impatient")
    url, body = stack.document["apiUrl"] + SCHNELL, submission(SCHNELL, prompt)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda count: ask(http, url, body, count), range(1, 5)))
    ids = {answer.json()["id"] for answer in answers if answer is not None}
    assert len(ids) == 1
    assert stack.api.finish(ids.pop())["status"] == "succeeded"
    assert paid(stack, prompt) == 1
