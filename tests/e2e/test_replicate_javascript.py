"""Replicate's stock JavaScript client against a running stack: tests/stock/replicate/scenario.mjs."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devstack.replicate.faults import PredictionSlow
from tests.support.api import unique
from tests.support.cutting_proxy import cutting_proxy
from tests.support.media_files import image_file
from tests.support.receiver import receiver
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

SCRIPT = REPOSITORY / "tests" / "stock" / "replicate" / "scenario.mjs"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        shutil.which("node") is None or not (SCRIPT.parent / "node_modules" / ".ready").exists(),
        reason="the client needs Node.js 20.19 and npm; `make typescript` installs the rest",
    ),
]


class Scenario:
    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, name: str, *words: str, url: str | None = None) -> Any:
        command = ["node", str(SCRIPT), url or self.url, name, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def scenario(stack: Stack) -> Scenario:
    return Scenario(stack.document["apiUrl"])


def test_run_waits_for_the_files(scenario: Scenario) -> None:
    made = scenario("run", unique("a lighthouse"))
    assert made["type"] == "image/webp"
    assert made["bytes"] > 0
    assert made["statuses"][-1] == "succeeded"
    assert scenario("poll", unique("a lighthouse")) == 1


def test_a_prediction_from_its_creation_to_its_end(scenario: Scenario) -> None:
    prompt = unique("a corgi")
    assert scenario("lifecycle", prompt) == {
        "made": "starting",
        "ended": "succeeded",
        "input": {"prompt": prompt},
        "first": True,
    }
    assert scenario("pages") >= 1


def test_a_prediction_is_canceled(stack: Stack, scenario: Scenario) -> None:
    prompt = unique("takes its time")
    slow = {"match": {"prompt": prompt}, "running": 60}
    stack.control.faults(PredictionSlow.model_validate(slow))
    assert scenario("cancel", prompt) == "canceled"


def test_files_are_kept_and_taken_as_inputs(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "lake.png"
    path.write_bytes(image_file("PNG"))
    assert scenario("files", str(path)) == {
        "name": "lake.png",
        "listed": True,
        "film": "string",
        "gone": True,
    }


def test_webhooks_are_validated(scenario: Scenario) -> None:
    with receiver() as server:
        path = f"/{unique('hook').replace(' ', '-')}"
        made = scenario("hooked", unique("a bell"), server.origin + path)
        (received,) = server.wait(path)
    headers = [received.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")]
    assert scenario("webhook", *headers, received.body.decode()) == [True, False]
    assert json.loads(received.body)["id"] == made


def test_models_are_those_of_the_catalogue_and_refusals_the_providers(scenario: Scenario) -> None:
    version, models, versions = scenario("models")
    assert len(version) == 64
    assert (models > 5, versions) == (True, 1)
    (invalid, missing) = scenario("refused")
    assert invalid[:2] == ["ApiError", 422]
    assert "prompt is required" in invalid[2]
    assert missing[:2] == ["ApiError", 404]


@pytest.mark.parametrize(("name", "jobs"), [("keyed", 1), ("unkeyed", 3)])
def test_lost_answers_are_paid_once_with_the_key_that_the_document_says_to_send(
    stack: Stack, scenario: Scenario, name: str, jobs: int
) -> None:
    """The client repeats by itself, at once, and marks nothing."""
    prompt = unique("lost answers")
    with cutting_proxy(stack.document["apiUrl"], lose=2) as proxy:
        last = scenario(name, prompt, url=proxy.url)
    assert proxy.lost == 2
    assert stack.api.finish(last)["status"] == "succeeded"
    for job_id in stack.api.jobs_of(prompt):
        stack.api.finish(job_id)
    paid = [each for each in stack.control.predictions() if each.input.get("prompt") == prompt]
    assert len(paid) == jobs
