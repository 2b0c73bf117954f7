"""The TypeScript client against a running stack: clients/typescript/test/scenario.ts makes the calls."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import unique
from tests.support.cutting_proxy import cutting_proxy
from tests.support.receiver import receiver
from tests.support.stack import Stack
from tests.support.typescript import built_scenario, needs_typescript

pytestmark = [pytest.mark.e2e, needs_typescript]


@dataclass(frozen=True)
class Scenario:
    script: Path
    url: str

    def __call__(self, name: str, *words: str, url: str | None = None) -> Any:
        command = ["node", str(self.script), url or self.url, name, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def scenario(stack: Stack) -> Scenario:
    return Scenario(built_scenario(), stack.document["apiUrl"])


def test_models_run_status_list_and_download(scenario: Scenario) -> None:
    made = scenario("calls", unique("order"))
    job = made["job"]
    assert "flux-schnell" in made["models"]
    assert (job["status"], made["prompt"]) == ("succeeded", "a lighthouse")
    assert made["listed"] == [job["jobId"]]
    assert made["files"] == [[f"{job['jobId']}-0.webp", job["result"]["fileSize"]]]


def test_progress_until_the_end(scenario: Scenario) -> None:
    *before, end = scenario("progress", unique("slowly"))
    assert end == ["succeeded", 1]
    assert {status for status, _ in before} <= {"pending", "processing", "storing"}


def test_one_job_when_the_answer_is_lost(scenario: Scenario, stack: Stack) -> None:
    with cutting_proxy(stack.document["apiUrl"], lose=2) as proxy:
        made = scenario("calls", unique("order"), url=proxy.url)
    assert proxy.lost == 2
    assert made["listed"] == [made["job"]["jobId"]]


def test_refusals_and_failures_are_one_error(scenario: Scenario) -> None:
    refused, canceled, damaged = scenario("errors", unique("stopped"))
    assert refused == {
        "code": "InvalidParameters",
        "fields": ["parameters.width", "parameters.prompt"],
    }
    assert canceled == {"code": "JobCanceled", "fields": [], "job": "canceled"}
    assert damaged["code"] == "ChecksumMismatch"


def test_callbacks_are_verified(scenario: Scenario, stack: Stack) -> None:
    with receiver() as server:
        path = f"/{unique('ended').replace(' ', '-')}"
        job_id = stack.api.submit(
            "flux-schnell",
            {"prompt": unique("a bell")},
            user_id="typescript",
            callback_url=server.origin + path,
        )
        (received,) = server.wait(path)
    verified = scenario("webhook", received.body.decode(), json.dumps(received.headers))
    assert (verified["event"], verified["jobId"], verified["again"]) == ("ended", job_id, job_id)
    assert verified["forged"] == [{"code": "InvalidSignature", "fields": []}]
