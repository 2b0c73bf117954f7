"""The whole deployment's budget is used up: what each kind of caller learns of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from devstack.gateway.request import Request
from devstack.paths import python_of
from tests.e2e.test_money import limit, line
from tests.support.api import unique
from tests.support.auth_gateways import (
    HOST,
    AuthGateway,
    Credentials,
    auth_gateway,
    deployed_environment,
)
from tests.support.function_host import Host
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

USER = "spender"
MODEL = "flux-schnell"
LIMIT = "0.001234"
"""Too little for a job, and nothing that an answer has by chance."""
FIGURES = {"limit", "spent", "held", "left"}


@pytest.fixture(scope="module")
def gateway(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthGateway]:
    environment, folders = deployed_environment(stack)
    folder = tmp_path_factory.mktemp("gateway")
    python, log = python_of("functions"), folder / "functions.log"
    with Host(python, {**environment, "API_AUTH": "KEYS"}, log) as host:
        yield auth_gateway(stack, "KEYS", host, folders, folder / "identity.json")


@pytest.fixture
def full(stack: Stack) -> Iterator[None]:
    limit(stack, "stage", "month", LIMIT)
    yield
    limit(stack, "stage", "month", None)


def sent(
    gateway: AuthGateway, who: Credentials, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    """Of a route of another protocol, which this caller calls for USER."""
    raw = b"" if body is None else json.dumps(body).encode()
    headers = {"Host": HOST, "Content-Type": "application/json", "X-Forwarded-Proto": "https"}
    headers |= {"VSL-User": USER, "Accept": "application/json, text/event-stream"}
    headers |= gateway.credentials(who, method, f"https://{HOST}{path}", raw)
    answer = gateway.handle(Request(method, path, "", tuple(headers.items()), raw, raw_path=path))
    return answer.status, json.loads(answer.body)


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("who", [USER, ""], ids=["a user", "a back end for its user"])
def test_who_acts_for_a_user_learns_that_it_is_used_up_and_until_when(
    gateway: AuthGateway, who: str
) -> None:
    caller = gateway.of(who)
    parameters = {"prompt": unique("a fence")}
    body = {"userId": USER, "modelId": MODEL, "parameters": parameters}

    refused = gateway.send("POST", "/generate-media", caller, body)
    problem = json.loads(refused.body)
    assert (refused.status, problem["code"]) == (402, "BudgetExceeded")
    assert (problem["budget"], problem["wouldHold"]) == ("stage/month", "0.003")
    assert problem["resetsAt"] in problem["detail"]
    assert not FIGURES & problem.keys()

    asked = {"userId": USER, "parameters": parameters}
    estimate = json.loads(gateway.send("POST", f"/models/{MODEL}/estimate", caller, asked).body)
    assert estimate["admitted"] is False
    resets = {"period": "month", "resetsAt": problem["resetsAt"]}
    assert estimate["refusedBy"] == {"of": "stage", **resets}

    own = json.loads(gateway.send("GET", "/budget", caller, user_id=USER).body)
    assert own["canStart"] is False
    assert {each["of"] for each in own["budgets"]} == {"user"}

    image = {"model": MODEL, **parameters}
    status, openai = sent(gateway, caller, "POST", "/openai/v1/images/generations", image)
    assert (status, openai["error"]["code"]) == (429, "insufficient_quota")
    path = "/replicate/v1/models/black-forest-labs/flux-schnell/predictions"
    status, replicate = sent(gateway, caller, "POST", path, {"input": parameters})
    assert status == 402
    job = {"modelId": MODEL, "parameters": parameters}
    _, made = sent(gateway, caller, "POST", "/mcp", tool("generate", **job, maximumCost="1"))
    assert made["result"]["isError"] is True
    _, foreseen = sent(gateway, caller, "POST", "/mcp", tool("estimate", **job))
    _, left = sent(gateway, caller, "POST", "/mcp", tool("my_budget"))

    told = json.dumps([problem, estimate, own, openai, replicate, made, foreseen, left])
    assert LIMIT not in told
    assert problem["resetsAt"] in openai["error"]["message"]
    assert problem["resetsAt"] in replicate["detail"]


@pytest.mark.usefixtures("full")
def test_figures_are_for_operators_alone(gateway: AuthGateway) -> None:
    assert gateway.send("GET", "/budgets/stage", gateway.of(USER)).status == 403
    shown = gateway.send("GET", "/budgets/stage", gateway.of(""))
    month = line(json.loads(shown.body), "month")
    assert month["limit"] == LIMIT
    assert month.keys() >= FIGURES
