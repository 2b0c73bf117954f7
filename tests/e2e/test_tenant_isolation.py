"""Every route of the API, behind every kind of authorization, for every kind of caller.

Routes come from the document that is deployed; one that has no rule here fails.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from devstack.gateway.responses import Answer
from devstack.paths import python_of
from tests.support.api import unique
from tests.support.auth_gateways import (
    AT_THE_GATE,
    MODES,
    NOBODY,
    OF_A_USER,
    AuthGateway,
    Credentials,
    auth_gateway,
    deployed_environment,
)
from tests.support.front import api_document
from tests.support.function_host import Host
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

NO_KEY = "0123456789abcdef"
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "my_budget", "arguments": {}},
}
REQUEST = {"modelId": "flux-schnell", "parameters": {"prompt": "a fence"}}


@dataclass(frozen=True)
class Rule:
    """`kind` says what a stranger meets:

    - `open`: nobody needs credentials, and there is nothing of anybody's to see;
    - `shared`: credentials, and the same answer for all;
    - `job`: one user's job, which to others does not exist;
    - `own`: each user's own things, without an id in the path;
    - `trusted`: about all users, for a back end that speaks for none of them;
    - `write`: makes something that belongs to the caller.

    `owner` is what the owner of an ended job gets. `last` runs after all others. `by_header`: the body is
    another protocol's, and a back end names its user by VSL-User.
    """

    kind: str
    owner: int = 200
    body: Mapping[str, Any] | None = None
    last: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    by_header: bool = False


RULES: dict[str, Rule] = {
    "POST /generate-media": Rule("write", owner=202, body=REQUEST),
    "POST /jobs": Rule("write", owner=202, body=REQUEST),
    "GET /status/{jobId}": Rule("job"),
    "GET /jobs/{jobId}": Rule("job"),
    "GET /jobs": Rule("own"),
    "GET /jobs/{jobId}/timeline": Rule("job"),
    "POST /jobs/{jobId}/cancel": Rule("job"),
    "GET /jobs/{jobId}/callbacks": Rule("job"),
    "POST /jobs/{jobId}/callbacks/replay": Rule("job", owner=202),
    "GET /webhook-secret": Rule("own"),
    "DELETE /jobs/{jobId}": Rule("job", owner=204, last=True),
    "POST /uploads": Rule("write", owner=201, body={"contentType": "image/png"}),
    "POST /webhook/replicate": Rule("open", owner=401, body={}),  # the provider signs
    "GET /operations": Rule("trusted"),
    "GET /budget": Rule("own"),
    "GET /usage": Rule("own"),
    "GET /budgets/{owner}": Rule("trusted"),
    "PUT /budgets/{owner}": Rule("trusted", body={"period": "total", "limit": None}),
    "POST /credits": Rule(
        "trusted",
        body={"userId": "of-operators", "amount": "1"},
        headers={"Idempotency-Key": "isolation"},
    ),
    "GET /ledger": Rule("trusted", query={"jobId": "{jobId}"}),
    "GET /keys": Rule("trusted"),
    "POST /keys": Rule("trusted", owner=201, body={"userId": "of-operators"}),
    "DELETE /keys/{keyId}": Rule("trusted", owner=404),
    "GET /models": Rule("shared"),
    "GET /models/{modelId}": Rule("shared"),
    "POST /models/{modelId}/estimate": Rule("shared", body={"parameters": {"prompt": "a fence"}}),
    "POST /openai/v1/images/generations": Rule(
        "write", body={"model": "flux-schnell", "prompt": "a fence"}, by_header=True
    ),
    # Its files come as a form: without one it is refused, once the caller is known.
    "POST /openai/v1/images/edits": Rule("write", owner=400, body={}, by_header=True),
    "GET /openai/v1/models": Rule("shared"),
    "GET /openai/v1/models/{model}": Rule("shared"),
    "POST /mcp": Rule("write", body=CALL, by_header=True),
    "GET /console": Rule("open", owner=302),
    "GET /console/{file}": Rule("open"),
    "GET /console/files/{version}/{file}": Rule("open"),
    "GET /openapi.json": Rule("open"),
    "GET /docs": Rule("open"),
    "GET /docs/{file}": Rule("open"),
}
ROUTES = sorted(
    f"{operation.method} {operation.resource}"
    for operation in api_document().operations()
    if operation.method not in {"OPTIONS", "ANY"}
)
ORDERED = sorted(ROUTES, key=lambda route: RULES[route].last if route in RULES else False)


@dataclass
class AuthGateways:
    """`jobs` are ended jobs, one of each gateway's owner."""

    by_mode: dict[str, AuthGateway]
    jobs: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def gateways(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthGateways]:
    """Each owner's job comes in through its own gateway."""
    environment, folders = deployed_environment(stack)
    folder = tmp_path_factory.mktemp("gateways")
    python, logs = python_of("functions"), folder / "functions.log"
    with ExitStack() as opened:
        found = AuthGateways({})
        for mode in MODES:
            host = opened.enter_context(Host(python, {**environment, "API_AUTH": mode}, logs))
            found.by_mode[mode] = auth_gateway(stack, mode, host, folders, folder / "identity.json")
        for mode, each in found.by_mode.items():
            # Nobody listens there: what counts is who may ask for the call.
            nowhere = {"callbackUrl": "http://127.0.0.1:9/ended"}
            body = {**REQUEST, **nowhere, "parameters": {"prompt": unique("a fence")}}
            if mode not in OF_A_USER:
                body["userId"] = owner(mode)
            answer = each.send("POST", "/generate-media", each.of(owner(mode)), body)
            assert answer.status == 202, answer.body
            found.jobs[mode] = json.loads(answer.body)["jobId"]
        for job_id in found.jobs.values():
            assert stack.api.finish(job_id)["status"] == "succeeded"
        yield found


def owner(mode: str) -> str:
    return f"owner-{mode.lower().replace('_', '-')}"


@dataclass(frozen=True)
class Visit:
    """One route at one gateway."""

    auth_gateway: AuthGateway
    route: str
    job_id: str

    @property
    def rule(self) -> Rule:
        return RULES[self.route]

    @property
    def owner(self) -> str:
        return owner(self.auth_gateway.mode)

    def send(
        self,
        who: Credentials | None,
        *,
        job_id: str | None = None,
        user_id: str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        method, _, path = self.route.partition(" ")
        path = path.replace("{jobId}", job_id or self.job_id).replace("{modelId}", "flux-schnell")
        path = path.replace("{model}", "flux-schnell")
        path = path.replace("/console/{file}", "/console/index.html")
        path = path.replace("/files/{version}/{file}", "/files/any/main.js")
        path = path.replace("{keyId}", NO_KEY)
        path = path.replace("/docs/{file}", "/docs/page.js").replace("{owner}", self.owner)
        query = {
            name: value.replace("{jobId}", self.job_id) for name, value in self.rule.query.items()
        }
        assert "{" not in path, "a variable this test has no value for"
        given, headers = self.rule.body, dict(self.rule.headers)
        if self.rule.by_header:
            headers |= {"VSL-User": (body or {})["userId"]} if body else {}
        elif body is not None and given is not None:
            given = {**given, **body}
        return self.auth_gateway.send(method, path, who, given, user_id, query, headers)


@pytest.fixture
def visit(request: pytest.FixtureRequest, gateways: AuthGateways) -> Visit:
    mode, route = request.param
    assert route in RULES, f"{route} is new: say in RULES what a stranger meets there"
    return Visit(gateways.by_mode[mode], route, gateways.jobs[mode])


def code_of(answer: Answer) -> str:
    """Of a problem, or of an error of OpenAI's."""
    told = json.loads(answer.body)
    return str(told.get("error", told)["code"])


def at_every_gateway(*kinds: str) -> pytest.MarkDecorator:
    """All routes of these kinds (and those without a rule) by every mode."""
    cases = [
        (mode, route)
        for route in ORDERED
        if route not in RULES or RULES[route].kind in kinds
        for mode in MODES
    ]
    return pytest.mark.parametrize(
        "visit", cases, indirect=True, ids=[f"{mode} {route}" for mode, route in cases]
    )


def test_every_rule_has_its_route() -> None:
    assert sorted(RULES) == ROUTES


@at_every_gateway("shared", "job", "own", "trusted", "write")
def test_nobody_passes_without_credentials_or_with_forged_ones(visit: Visit) -> None:
    mode = visit.auth_gateway.mode
    if mode == "NONE":
        return  # the local stack alone; the template refuses it elsewhere
    for who in (None, visit.auth_gateway.forged(visit.owner)):
        answer = visit.send(who)
        assert answer.status == AT_THE_GATE[mode], answer.body
        assert json.loads(answer.body)["code"] in {"Unauthorized", "Forbidden"}


@at_every_gateway("shared", "job", "own", "trusted", "write")
def test_a_key_that_has_expired_or_was_revoked_opens_nothing(visit: Visit) -> None:
    if visit.auth_gateway.mode != "KEYS":
        return
    for who in visit.auth_gateway.ended(visit.owner):
        answer = visit.send(who)
        assert (answer.status, json.loads(answer.body)["code"]) == (401, "Unauthorized")


@at_every_gateway("job", "own", "shared")
def test_an_operators_key_speaks_for_the_user_it_names(visit: Visit) -> None:
    if visit.auth_gateway.mode != "KEYS" or visit.rule.last:
        return
    operator = visit.auth_gateway.of("")
    own = visit.send(operator, user_id=visit.owner)
    assert own.status == visit.rule.owner, own.body
    if visit.rule.kind == "job":
        other = visit.send(operator, user_id="stranger")
        assert (other.status, json.loads(other.body)["code"]) == (404, "JobNotFound")


@at_every_gateway("open")
def test_what_is_open_needs_no_credentials(visit: Visit) -> None:
    answer = visit.send(None)
    assert answer.status == visit.rule.owner, answer.body
    assert visit.job_id.encode() not in answer.body


@at_every_gateway("job")
def test_a_strangers_job_does_not_exist(visit: Visit) -> None:
    """Not even its absence tells anything: the words are those for an id that never was."""
    stranger = visit.auth_gateway.of("stranger")
    answer, never = visit.send(stranger), visit.send(stranger, job_id=NOBODY)
    assert (answer.status, json.loads(answer.body)["code"]) == (404, "JobNotFound")
    assert answer.body == never.body.replace(NOBODY.encode(), visit.job_id.encode())


@at_every_gateway("own", "job", "write")
def test_a_users_credential_cannot_name_another_user(visit: Visit) -> None:
    if visit.auth_gateway.mode not in OF_A_USER:
        return  # a key of API Gateway or a signature is a back end's, which may name anybody
    stranger = visit.auth_gateway.of("stranger")
    if visit.rule.kind == "write":
        answer = visit.send(stranger, body={"userId": visit.owner})
    else:
        answer = visit.send(stranger, user_id=visit.owner)
    assert (answer.status, code_of(answer)) == (403, "Forbidden")


@at_every_gateway("own")
def test_a_strangers_view_holds_nothing_of_the_owner(visit: Visit) -> None:
    theirs, ours = (
        visit.send(visit.auth_gateway.of("stranger")),
        visit.send(visit.auth_gateway.of(visit.owner)),
    )
    assert (theirs.status, ours.status) == (200, 200)
    assert theirs.body != ours.body
    if visit.route == "GET /jobs":
        # Other tests make jobs as this stranger.
        assert {job["userId"] for job in json.loads(theirs.body)["jobs"]} <= {"stranger"}
        assert visit.job_id in [job["jobId"] for job in json.loads(ours.body)["jobs"]]


@at_every_gateway("trusted")
def test_what_is_about_all_users_is_for_a_back_end_alone(visit: Visit) -> None:
    assert visit.send(visit.auth_gateway.of(visit.owner), user_id=visit.owner).status == 403
    # A token or a user's key is one user's whatever the request says; a back end speaks for nobody.
    if visit.auth_gateway.mode in OF_A_USER:
        own = visit.send(visit.auth_gateway.of(visit.owner))
        assert (own.status, json.loads(own.body)["code"]) == (403, "Forbidden")
        assert visit.job_id.encode() not in own.body
    if visit.auth_gateway.mode != "COGNITO":
        alone = visit.send(visit.auth_gateway.of(""))
        assert alone.status == visit.rule.owner, alone.body
        if visit.route == "GET /operations":
            assert json.loads(alone.body)["jobs"]["succeeded"] >= len(MODES)


@at_every_gateway("shared", "job", "write")
def test_the_owner_passes(visit: Visit) -> None:
    """Last in this file, and DELETE last of all: afterwards the job is gone for its owner, too."""
    who = visit.auth_gateway.of(visit.owner)
    named = {} if visit.auth_gateway.mode in OF_A_USER else {"userId": visit.owner}
    answer = visit.send(who, body=named)
    assert answer.status == visit.rule.owner, answer.body
    if visit.rule.last:
        assert visit.send(who).status == 404


@pytest.mark.parametrize("mode", MODES)
def test_a_browsers_preflight_needs_no_credentials(gateways: AuthGateways, mode: str) -> None:
    asked = [each for each in gateways.by_mode[mode].operations if each.method == "OPTIONS"]
    assert asked
    for operation in asked:
        path = operation.resource.replace("{jobId}", NOBODY).replace("{modelId}", "m")
        path = path.replace("{model}", "m")
        assert gateways.by_mode[mode].send("OPTIONS", path, None).status == 204
