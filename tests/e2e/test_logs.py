"""The log of a real job: every function of it leaves a line that says which job it was."""

import json
from typing import Any

import pytest

from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

OF_A_JOB = (
    "check-rate-limit",
    "create-job",
    "submit-prediction",
    "await-prediction",
    "store-media",
    "finalize-job",
)
KNOW_THE_ATTEMPT = {"submit-prediction", "store-media", "finalize-job"}


def lines_of(stack: Stack, function: str, job_id: str) -> list[dict[str, Any]]:
    pages = (
        stack.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/vsl-local-{function}", filterPattern=f'"{job_id}"')
    )
    messages = [event["message"] for page in pages for event in page["events"]]
    found = [json.loads(message) for message in messages if message.startswith("{")]
    return [line for line in found if line.get("job_id") == job_id]


def test_every_step_of_a_job_is_found_by_its_id(stack: Stack) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("logged")})["jobId"]
    for function in OF_A_JOB:
        lines = lines_of(stack, function, job_id)
        done = [line for line in lines if line.get("message") == "step done"]
        assert done, function
        for line in done:
            assert line["function_name"] == f"vsl-local-{function}"
            assert ":execution:" in line["execution"] or ":express:" in line["execution"]
            assert (line["user_id"], line["model_id"]) == ("e2e", "flux-schnell")
            assert function not in KNOW_THE_ATTEMPT or line["attempt"] == 1
    metrics = [line for line in lines_of(stack, "finalize-job", job_id) if "_aws" in line]
    assert {"ActualCost", "EstimatedCost", "ProcessingTime"} <= {n for m in metrics for n in m}
