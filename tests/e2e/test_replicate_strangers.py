"""Every route of Replicate's protocol, behind every kind of authorization, for every kind of caller."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from devstack.gateway.request import Request
from devstack.gateway.responses import Answer
from devstack.paths import python_of
from tests.support import web
from tests.support.api import unique
from tests.support.auth_gateways import (
    AT_THE_GATE,
    HOST,
    MODES,
    NOBODY,
    OF_A_USER,
    AuthGateway,
    Credentials,
    auth_gateway,
    deployed_environment,
)
from tests.support.function_host import Host
from tests.support.media_files import image_file
from tests.support.stack import Stack
from vsl.domain.compat.replicate_request import ROOT
from vsl.runtime.replicate_api import ROUTES

pytestmark = pytest.mark.e2e

SCHNELL = {"owner": "black-forest-labs", "name": "flux-schnell"}
VERSION = {
    "owner": "stability-ai",
    "name": "sdxl",
    "id": "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
}
FORM = "multipart/form-data; boundary=edge"
FILE = (
    b'--edge\r\nContent-Disposition: form-data; name="content"; filename="lake.png"\r\n\r\n'
    + image_file("PNG")
    + b"\r\n--edge--\r\n"
)


@dataclass(frozen=True)
class Rule:
    """`kind`: `thing` is one user's, which to others does not exist; `own` is each user's own; `shared`
    is the same for all; `write` makes something of the caller's. `status` is what an owner gets."""

    kind: str
    status: int = 200
    words: Mapping[str, str] | None = None
    body: bytes = b""


def prediction(**more: str) -> bytes:
    return json.dumps({**more, "input": {"prompt": unique("a fence")}}).encode()


RULES = {
    "POST /predictions": Rule("write", 201, body=prediction(version=VERSION["id"])),
    "GET /predictions": Rule("own"),
    "GET /predictions/{id}": Rule("thing"),
    "POST /predictions/{id}/cancel": Rule("thing"),
    "GET /models": Rule("shared"),
    "GET /models/{owner}/{name}": Rule("shared", words=SCHNELL),
    "POST /models/{owner}/{name}/predictions": Rule("write", 201, SCHNELL, prediction()),
    "GET /models/{owner}/{name}/versions": Rule("shared", words=SCHNELL),
    "GET /models/{owner}/{name}/versions/{id}": Rule("shared", words=VERSION),
    # This catalogue has no deployment; tests/e2e/test_any_model.py has one.
    "GET /deployments": Rule("shared"),
    "GET /deployments/{owner}/{name}": Rule("shared", 404, SCHNELL),
    "POST /deployments/{owner}/{name}/predictions": Rule("write", 404, SCHNELL, prediction()),
    "GET /webhooks/default/secret": Rule("own"),
    "POST /files": Rule("write", 201, body=FILE),
    "GET /files": Rule("own"),
    "GET /files/{id}": Rule("thing"),
    "DELETE /files/{id}": Rule("thing", 204),
}


def owner(mode: str) -> str:
    return f"owner-{mode.lower().replace('_', '-')}"


@dataclass(frozen=True)
class Front:
    """One gateway, with a prediction and a file of its owner."""

    gateway: AuthGateway
    prediction: str = ""
    file: str = ""

    def send(
        self,
        route: str,
        who: Credentials | None,
        *,
        words: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> Answer:
        """As `who`; `user` is named in the header, else whoever asks where a back end does."""
        rule = RULES[route]
        method, _, path = route.partition(" ")
        kept = self.file if path.startswith("/files") else self.prediction
        path = ROOT + path.format(**{"id": kept, **(rule.words or {}), **(words or {})})
        sent = {"Host": HOST, "X-Forwarded-Proto": "https"}
        sent["Content-Type"] = FORM if rule.body == FILE else "application/json"
        mode = self.gateway.mode
        named = user or (who.user if who and mode not in OF_A_USER else None)
        sent |= {"VSL-User": named} if named else {}
        if who is not None:
            url = f"https://{HOST}{path}"
            kind = sent["Content-Type"]
            sent |= self.gateway.credentials(who, method, url, rule.body, kind)
        request = Request(method, path, "", tuple(sent.items()), rule.body, raw_path=path)
        return self.gateway.handle(request)


@pytest.fixture(scope="module")
def fronts(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Front]]:
    environment, folders = deployed_environment(stack)
    folder = tmp_path_factory.mktemp("gateways")
    python, logs = python_of("functions"), folder / "functions.log"
    with ExitStack() as opened:
        found = {}
        for mode in MODES:
            host = opened.enter_context(Host(python, {**environment, "API_AUTH": mode}, logs))
            gateway = auth_gateway(stack, mode, host, folders, folder / "identity.json")
            bare, who = Front(gateway), gateway.of(owner(mode))
            made = bare.send("POST /models/{owner}/{name}/predictions", who)
            kept = bare.send("POST /files", who)
            assert (made.status, kept.status) == (201, 201), (made.body, kept.body)
            found[mode] = Front(gateway, json.loads(made.body)["id"], json.loads(kept.body)["id"])
        yield found


def at_every_front(*kinds: str) -> pytest.MarkDecorator:
    cases = [
        (mode, route)
        for route, rule in RULES.items()
        if not kinds or rule.kind in kinds
        for mode in MODES
    ]
    names = [f"{mode} {route}" for mode, route in cases]
    return pytest.mark.parametrize(("mode", "route"), cases, ids=names)


def test_every_route_has_a_rule() -> None:
    assert RULES.keys() == ROUTES.keys()


@at_every_front()
def test_nobody_passes_without_credentials_or_with_forged_ones(
    fronts: dict[str, Front], mode: str, route: str
) -> None:
    if mode == "NONE":
        return  # the local stack alone
    front = fronts[mode]
    for who in (None, front.gateway.forged(owner(mode))):
        assert front.send(route, who).status == AT_THE_GATE[mode]


@at_every_front("thing")
def test_what_is_anothers_does_not_exist(fronts: dict[str, Front], mode: str, route: str) -> None:
    front = fronts[mode]
    stranger = front.gateway.of("stranger")
    answer, never = front.send(route, stranger), front.send(route, stranger, words={"id": NOBODY})
    assert answer.status == never.status == 404
    assert answer.body == never.body


@at_every_front("own")
def test_a_strangers_view_holds_nothing_of_the_owner(
    fronts: dict[str, Front], mode: str, route: str
) -> None:
    front = fronts[mode]
    theirs = front.send(route, front.gateway.of("stranger"))
    ours = front.send(route, front.gateway.of(owner(mode)))
    assert (theirs.status, ours.status) == (200, 200)
    assert theirs.body != ours.body
    for mine in (front.prediction, front.file):
        assert mine.encode() not in theirs.body
    if route != "GET /webhooks/default/secret":
        assert (front.file if "files" in route else front.prediction).encode() in ours.body


@at_every_front("own", "thing", "write")
def test_a_token_cannot_name_another_user(fronts: dict[str, Front], mode: str, route: str) -> None:
    if mode not in OF_A_USER:
        return  # a key or a signature is a back end's, which may name anybody
    front = fronts[mode]
    answer = front.send(route, front.gateway.of("stranger"), user=owner(mode))
    assert answer.status == 403


@at_every_front("own", "thing", "write")
def test_a_back_end_says_whom_it_acts_for(fronts: dict[str, Front], mode: str, route: str) -> None:
    if mode not in {"API_KEY", "IAM"}:
        return
    front = fronts[mode]
    answer = front.send(route, front.gateway.of(""))
    assert answer.status == 422
    assert "VSL-User" in json.loads(answer.body)["detail"]


@at_every_front()
def test_the_owner_gets_what_is_its_own(fronts: dict[str, Front], mode: str, route: str) -> None:
    """Last: some of it is gone then."""
    front = fronts[mode]
    answer = front.send(route, front.gateway.of(owner(mode)))
    assert answer.status == RULES[route].status, answer.body


def test_what_is_not_there_is_told_as_the_provider_tells_it(stack: Stack) -> None:
    for method, path in (
        ("GET", "/trainings"),
        ("GET", "/account"),
        ("PATCH", "/predictions"),
        ("GET", "/predictions/x/y"),
    ):
        answer = web.request(method, stack.document["apiUrl"] + ROOT + path)
        assert answer.json() == {
            "detail": "The requested resource could not be found.",
            "status": 404,
        }
