"""A hundred copies of one request are one job: also after every function has been killed."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.support.api import unique
from tests.support.processes import children, environment
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

COPIES = 100
DOOR = {"vsl-local-validate-request", "vsl-local-check-rate-limit", "vsl-local-create-job"}


def ask(stack: Stack, key: str, prompt: str, **options: Any) -> httpx.Response:
    """The answer, as a client gets it that asks again with its key when there was no room."""
    for _ in range(10):
        answer = stack.api.generate("flux-schnell", {"prompt": prompt}, key=key, **options)
        if answer.status_code != 503:
            break
    return answer


def test_a_hundred_copies_are_one_job_also_after_a_restart(stack: Stack) -> None:
    key, prompt = unique("key"), unique("once")
    with ThreadPoolExecutor(10) as threads:
        copies = list(threads.map(lambda _: ask(stack, key, prompt), range(COPIES)))
    assert Counter(copy.status_code for copy in copies) == {202: COPIES}
    jobs = {copy.json()["jobId"] for copy in copies}
    assert len(jobs) == 1
    assert len({copy.headers["location"] for copy in copies}) == 1

    assert restart_api_workflow(stack) > 0
    again = ask(stack, key, prompt)
    assert (again.status_code, {again.json()["jobId"]}) == (202, jobs)

    status = stack.api.finish(again.json()["jobId"])
    assert status["status"] == "succeeded"
    made = [each for each in stack.control.predictions() if each.input.get("prompt") == prompt]
    assert len(made) == 1
    after = ask(stack, key, prompt)
    assert after.headers["Idempotency-Replayed"] == "true"
    assert (after.json()["jobId"], after.json()["status"]) == (status["jobId"], "succeeded")
    assert ask(stack, key, "another").json()["code"] == "IdempotencyKeyReused"
    other = ask(stack, key, prompt, user_id="somebody-else")
    assert other.json()["jobId"] != again.json()["jobId"], "keys belong to their user"
    stack.api.finish(other.json()["jobId"])


def restart_api_workflow(stack: Stack) -> int:
    """Kill every process that knows anything of the requests so far; how many there were."""
    killed = 0
    for pid in children(stack.pid_of("engine")):
        if environment(pid).get("AWS_LAMBDA_FUNCTION_NAME") in DOOR:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    return killed
