"""A stage whose provider takes few creations: jobs wait their turn, and say so, instead of failing."""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, expect

from devstack.replicate.faults import CreateFails, Match
from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack, vsl
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

WAIT_MS = 20_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """In the place of the stack that all others share: three creations at once, then one in two seconds,
    and no more than twelve jobs that wait."""
    state = tmp_path_factory.mktemp("pacing")
    try:
        rate, limit = ("--parameter", "CreationsPerMinute=30"), ("--parameter", "QueueLimit=12")
        options = ("--speed", "0.05", *rate, *limit)
        running = Stack(json.loads(vsl("up", "--detach", "--json", *options, state=state)))
        yield running
        running.close()
    finally:
        vsl("down", state=state)


def submit(stack: Stack, *users: str) -> list[str]:
    """A job for each, all at once."""
    prompt = unique("a lighthouse")
    with ThreadPoolExecutor(len(users)) as pool:
        return list(
            pool.map(
                lambda user: stack.api.submit("flux-schnell", {"prompt": prompt}, user_id=user),
                users,
            )
        )


def ask(stack: Stack, path: str, **query: str) -> dict[str, Any]:
    answer = web.get(f"{stack.api.url}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def last_in_queue(stack: Stack, jobs: list[str], behind: int) -> dict[str, Any]:
    """The status of the one furthest behind, once it stands at `behind` or later."""

    def read() -> dict[str, Any]:
        return max(
            (stack.api.status(job_id) for job_id in jobs),
            key=lambda status: status["queuePosition"] or 0,
        )

    return until(read, lambda status: (status["queuePosition"] or 0) >= behind, pause=0.1)


def slot_of(stack: Stack, job_id: str) -> list[float]:
    """How long it waited for its turn."""
    segments = ask(stack, f"jobs/{job_id}/timeline")["segments"]
    return [segment["seconds"] for segment in segments if segment["name"] == "slot"]


def test_a_burst_waits_and_says_where_each_job_stands(stack: Stack) -> None:
    before = len(stack.control.predictions())
    jobs = submit(stack, *(["ann", "ben"] * 8)[:15])
    seen = last_in_queue(stack, jobs, 3)
    assert seen["status"] == "pending"
    starts = datetime.fromisoformat(seen["estimatedStart"])
    assert starts - stack.now() < timedelta(minutes=1)
    assert seen["estimatedStartEarliest"] <= seen["estimatedStart"] <= seen["estimatedStartLatest"]
    listed = ask(stack, "jobs", status="pending")["jobs"]
    places = [job["queuePosition"] for job in listed if job["queuePosition"]]
    assert len(places) == len(set(places)) > 1

    ended = [stack.api.finish(job_id) for job_id in jobs]
    assert {status["status"] for status in ended} == {"succeeded"}
    assert {(status["queuePosition"], status["estimatedStartLatest"]) for status in ended} == {
        (None, None)
    }
    assert len(stack.control.predictions()) - before == len(jobs), "nobody is paid for twice"
    waits = sorted(wait for job_id in jobs for wait in slot_of(stack, job_id))
    assert len(waits) >= 6
    assert waits[-1] > 5


def test_the_answer_and_the_estimate_say_where_a_job_will_stand(stack: Stack) -> None:
    wanted = {"prompt": unique("what would it wait")}
    jobs = submit(stack, *["eve"] * 8)
    last_in_queue(stack, jobs, 3)
    foreseen = web.post(
        f"{stack.api.url}/models/flux-schnell/estimate",
        json={"userId": "eve", "parameters": wanted},
    ).json()
    assert foreseen["queuePosition"] >= 1
    assert foreseen["estimatedStart"] <= foreseen["estimatedStartLatest"]
    answer = stack.api.generate("flux-schnell", wanted, user_id="eve").json()
    assert answer["queuePosition"] >= 1, "told with the 202"
    assert answer["estimatedStartEarliest"] <= answer["estimatedStart"]
    for job_id in (*jobs, answer["jobId"]):
        web.post(f"{stack.api.url}/jobs/{job_id}/cancel")
        stack.api.finish(job_id)
    until(lambda: queued(stack), lambda depth: depth == 0, pause=0.2)  # they have left it


def queued(stack: Stack) -> int:
    with redis.Redis.from_url(stack.document["redisUrl"]) as server:
        return int(str(server.zcard("{pacing}:queue")))


def test_the_console_shows_the_place(stack: Stack, browser: Browser) -> None:
    context = browser.new_context(base_url=f"{stack.api.url}/")
    context.add_init_script("localStorage.setItem('vsl.userId', 'ann')")
    page = context.new_page()
    page.goto("console")
    jobs = submit(stack, *["ann"] * 12)
    seen = last_in_queue(stack, jobs, 4)
    page.goto(f"console#/jobs/{seen['jobId']}")
    place = page.locator(".place")
    expect(place).to_contain_text("Queued for the provider, position", timeout=WAIT_MS)
    for job_id in jobs:
        assert stack.api.finish(job_id)["status"] == "succeeded"
    expect(page.locator(".bar.of-slot")).to_be_visible(timeout=WAIT_MS)
    context.close()


def test_a_provider_that_throttles_in_spite_of_a_slot_fails_no_job(stack: Stack) -> None:
    prompt = unique("throttled")
    rule = CreateFails(status=429, retry_after=1, times=3, match=Match(prompt=prompt))
    stack.control.faults(rule)
    ended = stack.api.run("flux-schnell", {"prompt": prompt})
    assert ended["status"] == "succeeded", ended
    assert len(slot_of(stack, ended["jobId"])) == 1
    names = [event["name"] for event in ask(stack, f"jobs/{ended['jobId']}/timeline")["events"]]
    assert {"intent_1", "intent_4", "queued", "dequeued"} <= set(names)


def test_a_full_queue_refuses_new_jobs_and_has_room_again(stack: Stack) -> None:
    jobs, ask_for = [], {"prompt": unique("one more")}
    for number in itertools.count():
        answer = stack.api.generate("flux-schnell", ask_for, user_id=f"user-{number % 5}")
        if answer.status_code != 202:
            break
        jobs.append(str(answer.json()["jobId"]))
    assert len(jobs) >= 12
    body = answer.json()
    assert (answer.status_code, body["code"], body["limit"]) == (429, "QueueFull", 12)
    assert 1 <= int(answer.headers["retry-after"]) == body["retryAfter"] <= 60

    for job_id in jobs:
        web.post(f"{stack.api.url}/jobs/{job_id}/cancel")
    assert {stack.api.finish(job_id)["status"] for job_id in jobs} <= {"canceled", "succeeded"}
    again = until(
        lambda: stack.api.generate("flux-schnell", ask_for, user_id="dee"),
        lambda answer: answer.status_code == 202,
        pause=0.5,
    )
    assert stack.api.finish(again.json()["jobId"])["status"] == "succeeded"
