"""Agents: the official client of the Model Context Protocol against the running stack."""

import uuid
from decimal import Decimal
from typing import Any

import pytest
from mcp_types import CallToolResult, CreateTaskResult, GetTaskResult

from devstack.replicate.faults import Match, PredictionSlow
from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack
from tests.support.stock import needs_stock_python, python_client

pytestmark = pytest.mark.e2e

TOOLS = [
    *("list_models", "describe_model", "estimate", "generate", "get_job", "cancel_job"),
    "my_budget",
]


def url_of(stack: Stack) -> str:
    return str(stack.document["apiUrl"])


@needs_stock_python
@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
def test_the_whole_way_of_an_agent(stack: Stack, mode: str, version: str) -> None:
    made = python_client("mcp_client", url_of(stack), "tools", unique("a bell"), MODE=mode)
    assert (made["version"], made["tools"]) == (version, TOOLS)
    assert "flux-schnell" in made["models"]
    assert {"prompt", "width"} <= set(made["parameters"])
    assert made["estimate"] == "0.003"
    is_error, refusal = made["refused"]
    assert is_error
    assert refusal["code"] == "InvalidRequest"
    assert refusal["fields"][0]["field"] == "maximumCost"
    assert made["status"] == "succeeded"
    assert made["blocks"] == ["text", "resource_link", "image"]
    assert web.get(made["link"]).status_code == 200
    assert Decimal(made["budget"]) > 0


@needs_stock_python
def test_a_slow_job_is_canceled_and_a_strangers_is_not_there(stack: Stack) -> None:
    prompt = unique("a slow bell")
    stack.control.faults(PredictionSlow(running=600, match=Match(prompt=prompt)))
    foreign = stack.api.submit("flux-schnell", {"prompt": unique("a bell")}, user_id="stranger")
    key = uuid.uuid4().hex
    made = python_client("mcp_client", url_of(stack), "cancel", prompt, key, foreign)
    assert made["same"]
    assert made["first"] in {"pending", "processing"}
    assert made["canceled"]["cancelRequested"]
    assert made["ended"] == "canceled"
    assert made["foreign"] == [True, "JobNotFound"]


def ask(stack: Stack, method: str, **params: Any) -> Any:
    """As a client of 2025-11-25 does, which alone has tasks; the official one has no method for them."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"MCP-Protocol-Version": "2025-11-25", "Accept": "application/json"}
    url = f"{url_of(stack)}/mcp"
    answer = web.post(url, json=message, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_a_job_is_a_task_where_the_protocol_has_tasks(stack: Stack) -> None:
    arguments = {"modelId": "flux-schnell", "prompt": unique("a bell"), "maximumCost": 1}
    made = ask(stack, "tools/call", name="generate", arguments=arguments, task={"ttl": 60_000})
    task = CreateTaskResult.model_validate(made).task
    assert task.status == "working"
    ended = CallToolResult.model_validate(ask(stack, "tasks/result", taskId=task.task_id))
    assert ended.structured_content["jobId"] == task.task_id
    found = GetTaskResult.model_validate(ask(stack, "tasks/get", taskId=task.task_id))
    assert (found.task_id, found.status) == (task.task_id, "completed")


def test_there_is_no_stream_to_open_and_no_session_to_end(stack: Stack) -> None:
    for method in ("GET", "DELETE"):
        answer = web.request(method, f"{url_of(stack)}/mcp")
        assert answer.status_code == 405
