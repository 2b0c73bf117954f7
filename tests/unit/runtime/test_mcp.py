"""POST /mcp without a stack: the protocol, the tools' answers and who is let in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from mcp_types import GetTaskResult

from tests.support.lambda_context import Context
from tests.support.models import catalogue
from tests.support.template import REPOSITORY
from vsl.domain.api.caller import Caller, job_not_found
from vsl.domain.compat.agent_tools import TOOLS
from vsl.domain.errors import BudgetExceeded, StoreUnavailable, VslError
from vsl.domain.jobs.job import JobStatus
from vsl.runtime.mcp_results import MOST_INLINE_BYTES
from vsl.runtime.mcp_route import respond
from vsl.runtime.settings import settings
from vsl.services.admission.submit_job import SubmitJob
from vsl.services.api.get_model import GetModel
from vsl.services.api.list_models import ListModels
from vsl.services.compat.agent_jobs import AgentJobs
from vsl.services.ports.workflow import WorkflowAnswer
from vsl.services.reading.waited import Waited

EVENT = json.loads((REPOSITORY / "events/api/mcp.json").read_text())
JOB_ID = "01a20545-a2d4-7888-ad85-53c697fc3121"
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
FILE = {
    "originalUrl": "https://media.example.com/media/ann/0-out.webp?signed",
    "thumbnailUrl": "https://media.example.com/thumbnails/ann/0-out.webp?signed",
    "s3Path": "media/ann/0-out.webp",
    "contentType": "image/webp",
    "fileSize": 3,
}


pytestmark = pytest.mark.usefixtures("of_a_back_end")


@dataclass
class World:
    """One job; `refusal` is what the workflow answers instead, `price` what the estimate says."""

    job: dict[str, Any] = field(
        default_factory=lambda: {"jobId": JOB_ID, "status": "processing", "outputs": []}
    )
    price: str | None = "0.003"
    held: str = "0.003"
    refusal: VslError | None = None
    trouble: Exception | None = None
    ran: list[dict[str, Any]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    granted: bool = True

    def run(self, document: Mapping[str, Any]) -> WorkflowAnswer:
        self.ran.append(dict(document))
        if self.refusal is not None:
            body = {"code": self.refusal.code, "detail": self.refusal.message}
            return WorkflowAnswer(self.refusal.status, {}, body)
        return WorkflowAnswer(202, {}, {"jobId": JOB_ID})

    def estimate(self, model_id: str, body: Mapping[str, Any], user_id: str) -> dict[str, Any]:
        if self.trouble is not None:
            raise self.trouble
        assert user_id == "user-1"
        assert "metadata" not in body
        return {
            "modelId": model_id,
            "estimatedCost": self.price,
            "wouldHold": self.held,
            "estimatedTime": 2.0,
        }

    def wait(self, job_id: str, user_id: str, _wait_id: str, seconds: float) -> Waited:
        if (job_id, user_id) != (JOB_ID, "user-1"):
            raise job_not_found(job_id)
        self.waits.append(seconds)
        if seconds > 0 and not self.granted:
            return Waited(granted=False)
        return Waited(granted=True, body=self.job)

    def cancel(self, job_id: str, caller: Caller) -> Any:
        if (job_id, caller.user_id) != (JOB_ID, "user-1"):
            raise job_not_found(job_id)
        self.canceled.append(job_id)
        self.job |= {"status": "canceled"}
        return SimpleNamespace(status=JobStatus.PROCESSING)

    def post(self, body: object, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        jobs = AgentJobs(
            list_models=ListModels(catalogue()),
            get_model=GetModel(catalogue(), allow_http=False),
            estimate_job=self.estimate,
            submit=SubmitJob(self),
            wait=self.wait,
            cancel_job=self.cancel,
            get_budget=lambda user_id: {"userId": user_id, "budgets": [], "canStart": True},
        )
        text = body if isinstance(body, str) else json.dumps(body)
        event = {**EVENT, "body": text, "headers": {**EVENT["headers"], **(headers or {})}}
        event["requestContext"] = {**EVENT["requestContext"], "requestTimeEpoch": None}
        response = respond(event, Context(), jobs, self.stored.get)
        return response["statusCode"], json.loads(response["body"] or "null")

    def ask(self, method: str, version: str = "2025-11-25", **params: Any) -> Any:
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        _, answer = self.post(message, {"MCP-Protocol-Version": version})
        assert answer["id"] == 7
        return answer["result"] if "result" in answer else answer["error"]

    def call(self, name: str, **arguments: Any) -> Any:
        return self.ask("tools/call", name=name, arguments=arguments)

    def code(self, name: str, **arguments: Any) -> str:
        result = self.call(name, **arguments)
        assert result["isError"]
        told = json.loads(result["content"][0]["text"])
        assert result["structuredContent"]["error"] == told
        return str(told["code"])


GENERATE = {"modelId": "flux-schnell", "prompt": "a bell", "maximumCost": "0.003"}


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [("2024-11-05", "2024-11-05"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25")],
)
def test_the_handshake(asked: str, agreed: str) -> None:
    client = {"name": "test", "version": "1"}
    made = World().ask("initialize", protocolVersion=asked, capabilities={}, clientInfo=client)
    assert made["protocolVersion"] == agreed
    assert ("tasks" in made["capabilities"]) == (agreed == "2025-11-25")
    assert World().post({"jsonrpc": "2.0", "method": "notifications/initialized"}) == (202, None)
    ping = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
    assert World().post(ping) == (200, {"jsonrpc": "2.0", "id": 7, "result": {}})


def test_without_a_handshake() -> None:
    found = World().ask("server/discover", MODERN, _meta=META)
    assert found["supportedVersions"] == [MODERN]
    assert "tasks" not in found["capabilities"]
    listed = World().ask("tools/list", MODERN, _meta=META)
    assert {tool["name"] for tool in listed["tools"]} == set(TOOLS)


def test_every_tool_has_its_schemas() -> None:
    listed = World().ask("tools/list")["tools"]
    assert [tool["name"] for tool in listed] == list(TOOLS)
    for tool in listed:
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["outputSchema"]["required"]
        assert tool["annotations"]["readOnlyHint"] == (
            tool["name"] not in ("generate", "cancel_job")
        )
        support = "optional" if tool["name"] == "generate" else "forbidden"
        assert tool["execution"]["taskSupport"] == support


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ("{", {}, 400, -32700),
        ("[]", {}, 400, -32700),
        ({"id": 1, "method": "ping"}, {}, 400, -32600),
        ({"jsonrpc": "2.0", "id": {}, "method": "ping"}, {}, 400, -32600),
        ({"jsonrpc": "2.0"}, {}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": None}, {}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "nothing"}, {}, 200, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "prompts/list"}, {}, 200, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {}}, {}, 200, -32602),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "ping"},
            {"MCP-Protocol-Version": "1999-01-01"},
            400,
            -32022,
        ),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}},
            {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call"},
            400,
            -32020,
        ),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "nothing", "params": {"_meta": META}},
            {"MCP-Protocol-Version": MODERN},
            404,
            -32601,
        ),
    ],
)
def test_what_is_no_message_of_the_protocol(
    body: object, headers: dict[str, str], status: int, code: int
) -> None:
    found, answer = World().post(body, headers)
    assert (found, answer["error"]["code"]) == (status, code)


def test_nothing_is_made_that_could_cost_more_than_it_may() -> None:
    for world, code in (
        (World(held="0.0031"), "InvalidRequest"),
        (World(price=None, held="0"), "UnpricedModel"),
    ):
        assert world.code("generate", **GENERATE) == code
        assert world.ran == []
    world = World()
    assert not world.call("generate", **GENERATE | {"maximumCost": 0.003})["isError"]
    assert len(world.ran) == 1


@pytest.mark.parametrize("wrong", ["much", -1, True, None, "NaN", [], 1e9])
def test_a_maximum_is_an_amount(wrong: object) -> None:
    world = World()
    assert world.code("generate", **GENERATE | {"maximumCost": wrong}) == "InvalidRequest"
    assert world.ran == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("generate", {"modelId": "flux-schnell"}),
        ("generate", GENERATE | {"waitSeconds": 26}),
        ("generate", GENERATE | {"idempotencyKey": ""}),
        ("generate", GENERATE | {"userId": "another"}),
        ("estimate", {"modelId": ""}),
        ("get_job", {}),
        ("my_budget", {"userId": "another"}),
    ],
)
def test_arguments_are_checked(name: str, arguments: dict[str, Any]) -> None:
    world = World()
    assert world.code(name, **arguments) == "InvalidRequest"
    assert world.ran == []


def test_a_job_is_the_callers_and_paid_once_for_a_key() -> None:
    world = World()
    world.call("generate", **GENERATE, idempotencyKey="k", metadata={"a": "b"}, waitSeconds=20)
    (ran,) = world.ran
    assert json.loads(ran["body"]) == {
        "userId": "user-1",
        "modelId": "flux-schnell",
        "prompt": "a bell",
        "metadata": {"a": "b"},
    }
    assert ran["idempotencyKey"] == "k"
    assert world.waits == [20]
    world.granted = False
    assert world.call("generate", **GENERATE, waitSeconds=20)["structuredContent"] == world.job


def test_files_are_links_and_small_pictures_are_seen() -> None:
    world = World()
    world.job |= {"status": "succeeded", "outputs": [FILE]}
    world.stored = {"media/ann/0-out.webp": b"abc", "thumbnails/ann/0-out.webp": b"small"}
    _, link, picture = world.call("get_job", jobId=JOB_ID)["content"]
    assert (link["uri"], link["name"], link["size"]) == (FILE["originalUrl"], "0-out.webp", 3)
    assert (picture["data"], picture["mimeType"]) == ("YWJj", "image/webp")
    world.job["outputs"] = [FILE | {"fileSize": MOST_INLINE_BYTES + 1, "contentType": "image/png"}]
    *_, picture = world.call("get_job", jobId=JOB_ID)["content"]
    assert (picture["data"], picture["mimeType"]) == ("c21hbGw=", "image/webp")
    world.job["outputs"][0]["thumbnailUrl"] = None
    assert len(world.call("get_job", jobId=JOB_ID)["content"]) == 2
    world.job["outputs"] = [FILE | {"contentType": "video/mp4", "thumbnailUrl": None}]
    assert len(world.call("get_job", jobId=JOB_ID)["content"]) == 2


def test_errors_of_a_tool_carry_our_code() -> None:
    assert (
        World(refusal=BudgetExceeded("No room.")).code("generate", **GENERATE) == "BudgetExceeded"
    )
    assert World().code("get_job", jobId="01a20545-0000-7888-ad85-53c697fc3121") == "JobNotFound"
    assert World().code("describe_model", modelId="nothing") == "UnknownModel"
    world = World(trouble=StoreUnavailable("Redis is away."))
    assert world.code("estimate", modelId="flux-schnell") == "StoreUnavailable"
    world.trouble = KeyError("a secret")
    told = world.call("estimate", modelId="flux-schnell")["content"][0]["text"]
    assert json.loads(told)["code"] == "InternalError"
    assert "secret" not in told
    failed = World()
    failed.job |= {"status": "failed", "error": "It broke.", "errorCode": "PredictionFailed"}
    assert failed.call("get_job", jobId=JOB_ID)["isError"]


def test_a_long_job_is_a_task_of_its_own_id() -> None:
    world = World()
    made = world.ask("tools/call", name="generate", arguments=GENERATE, task={"ttl": 60000})
    assert (made["task"]["taskId"], made["task"]["status"]) == (JOB_ID, "working")
    for task in (made["task"], world.ask("tasks/get", taskId=JOB_ID)):
        GetTaskResult.model_validate(task)
        assert task["ttl"] is None
    assert set(world.waits) == {0}
    assert world.ask("tasks/get", taskId=JOB_ID)["status"] == "working"
    assert "not ended" in world.ask("tasks/result", taskId=JOB_ID)["message"]
    assert world.ask("tasks/cancel", taskId=JOB_ID)["status"] == "cancelled"
    assert world.canceled == [JOB_ID]
    assert "ended already" in world.ask("tasks/cancel", taskId=JOB_ID)["message"]
    world.job |= {"status": "succeeded"}
    assert world.ask("tasks/result", taskId=JOB_ID)["structuredContent"] == world.job
    assert world.ask("tasks/get", taskId="another")["code"] == -32602
    assert world.ask("tasks/get", "2025-06-18", taskId=JOB_ID)["code"] == -32601
    refused = world.ask("tools/call", name="my_budget", arguments={}, task={})
    assert refused["code"] == -32602


def test_a_page_of_another_origin_is_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    with pytest.raises(VslError, match="origin"):
        World().post(ping, {"Origin": "https://evil.example"})
    monkeypatch.setenv("CORS_ORIGINS", "https://app.example.com")
    settings.cache_clear()
    assert World().post(ping, {"Origin": "https://app.example.com"})[0] == 200
