"""Anything at all on every route of Replicate's protocol, behind keys: refused in its words, never
broken, and nothing of another user's.

API Gateway's document knows these routes as one, so what schemathesis does for the others hypothesis does
here, by the router's own table. `make fuzz SEED=… EXAMPLES=…` runs it longer.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from devstack.gateway.request import Request
from devstack.gateway.responses import Answer
from devstack.paths import python_of
from tests.support.api import unique
from tests.support.auth_gateways import (
    HOST,
    NOBODY,
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

SEED = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES = 10 * int(os.environ.get("FUZZ_EXAMPLES", "2"))
JOBS = 25
OWNER, STRANGER = "fuzz-owner", "fuzz-stranger"
PRIVATE = "whose-lighthouse"
SDXL = (
    "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"  # pragma: allowlist secret
)
SLUGS = ("black-forest-labs/flux-schnell", "stability-ai/sdxl", "meta/musicgen", "nobody/nothing")
EDGE = "edge"


@dataclass(frozen=True)
class Front:
    """A prediction and a file of the owner's (`theirs`) and of the stranger's, who tries (`own`)."""

    gateway: AuthGateway
    theirs: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    def send(
        self, who: Credentials, method: str, path: str, raw: bytes = b"", **more: str
    ) -> Answer:
        path, _, query = path.partition("?")
        headers = {"Host": HOST, "X-Forwarded-Proto": "https", "Content-Type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        headers |= self.gateway.credentials(who, method, f"https://{HOST}{path}", raw)
        request = Request(method, path, query, tuple(headers.items()), raw, raw_path=path)
        return self.gateway.handle(request)


@pytest.fixture(scope="module")
def front(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with psycopg.connect(stack.database_url) as database:
        database.execute(
            "INSERT INTO user_limits (user_id, jobs_per_hour, concurrent_jobs) VALUES (%s, %s, 5)",
            [STRANGER, JOBS],
        )
    environment, folders = deployed_environment(stack)
    folder = tmp_path_factory.mktemp("gateway")
    python, log = python_of("functions"), folder / "functions.log"
    with Host(python, {**environment, "API_AUTH": "KEYS"}, log) as host:
        gateway = auth_gateway(stack, "KEYS", host, folders, folder / "identity.json")
        bare = Front(gateway)
        yield Front(gateway, made(bare, OWNER, PRIVATE), made(bare, STRANGER, "a lighthouse"))


def made(front: Front, user: str, name: str) -> tuple[str, str]:
    who = front.gateway.of(user)
    body = json.dumps({"input": {"prompt": unique(name)}}).encode()
    prediction = front.send(who, "POST", f"{ROOT}/models/{SLUGS[0]}/predictions", body)
    file = front.send(
        who, "POST", f"{ROOT}/files", form("content", f"{name}.png"), Content_Type=FORM
    )
    assert (prediction.status, file.status) == (201, 201), (prediction.body, file.body)
    return json.loads(prediction.body)["id"], json.loads(file.body)["id"]


FORM = f"multipart/form-data; boundary={EDGE}"


def form(field: str, name: str) -> bytes:
    told = f'Content-Disposition: form-data; name="{field}"; filename="{name}"'
    return (
        f"--{EDGE}\r\n{told}\r\n\r\n".encode() + image_file("PNG") + f"\r\n--{EDGE}--\r\n".encode()
    )


TEXT = st.text(max_size=30)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["prompt", "width", "aspect_ratio", "image", "seed", "num_outputs", "go_fast", "unheard_of"]
)


def bodies(route: str, ids: tuple[str, ...]) -> st.SearchStrategy[tuple[bytes, str]]:
    """With the content type that goes with it; half of them nearly as they should be."""
    files = st.sampled_from([f"https://{HOST}{ROOT}/files/{each}" for each in ids])
    value = st.sampled_from(["a fence", 1, 512, "16:9", True]) | files | ANYTHING
    given = st.dictionaries(NAMES, value, max_size=4) | ANYTHING
    events = st.lists(st.sampled_from(["start", "completed", "never"])) | ANYTHING
    webhook = st.sampled_from(["http://127.0.0.1:9/", "file:///etc/passwd"]) | ANYTHING
    optional = {
        "version": st.sampled_from([SDXL, "0" * 64, SLUGS[0], ":"]) | ANYTHING,
        "input": given,
        "webhook": webhook,
        "webhook_events_filter": events,
        "unheard_of": ANYTHING,
    }
    near: dict[str, Any] = {"input": st.just({"prompt": "a fence"})}
    if route == "POST /predictions":
        near["version"] = st.just(SDXL)
    good = st.fixed_dictionaries(near, optional={"stream": ANYTHING})
    loose = st.fixed_dictionaries({}, optional=optional)
    documents = good | good | loose | ANYTHING
    told = documents.map(lambda each: (json.dumps(each).encode(), "application/json"))
    names = st.sampled_from(["a.png", "é/..", ""])
    forms = st.builds(form, st.sampled_from(["content", "content", "other", '"']), names)
    sent = st.tuples(forms, st.just(FORM))
    kinds = st.sampled_from(["application/json", FORM, "multipart/form-data", "text/plain"])
    odd = st.tuples(st.binary(max_size=60) | forms | told.map(lambda each: each[0]), kinds)
    usual = sent if route == "POST /files" else told
    return usual | usual | odd


def queries(ids: tuple[str, ...]) -> st.SearchStrategy[str]:
    names = st.sampled_from(["cursor", "created_after", "created_before", "source", "limit", "x"])
    values = st.sampled_from(["2026-03-01T00:00:00Z", "web", "0", *ids]) | TEXT
    pairs = st.lists(st.tuples(names, values), max_size=3)
    return pairs.map(lambda each: urlencode(each, errors="replace"))


def words(*near: str) -> st.SearchStrategy[str]:
    """One variable part of a path, as a client would write it; half of them are of `near`."""
    odd = st.sampled_from([NOBODY, "hidden", ".", "%00", "%2e%2e", "a%2fb"])
    text = TEXT.map(lambda each: quote(each, safe="", errors="replace") or "_")
    return st.sampled_from(near) | odd | text | st.sampled_from(near)


@st.composite
def requests(draw: st.DrawFn, route: str, front: Front) -> tuple[str, str, bytes, Any]:
    """Method, path with its query, body, and headers."""
    method, _, path = route.partition(" ")
    owner, _, name = draw(st.sampled_from([*SLUGS, *SLUGS[:1] * 3])).partition("/")
    slug = {"owner": owner, "name": name}
    if draw(st.integers(0, 3)) == 0:
        slug = {each: draw(words(*front.theirs)) for each in slug}
    ids = (*front.own, *front.theirs)
    right = {"files": front.own[1], "predictions": front.own[0]}.get(path.split("/")[1], SDXL)
    path = ROOT + path.format(**slug, id=draw(words(*ids, *[right] * len(ids))))
    query = draw(queries(ids))
    raw, kind = draw(bodies(route, ids)) if method == "POST" else (b"", "application/json")
    headers = {"Content_Type": kind}
    for header, values in {
        "Prefer": st.sampled_from(["wait=0", "wait=x", "respond-async"]),
        "Idempotency_Key": st.sampled_from(["k", "", "x" * 300, "é"]),
        "x_stainless_retry_count": st.sampled_from(["1", "-1", "x"]),
    }.items():
        if draw(st.integers(0, 3)) == 0:
            headers[header] = draw(values)
    return method, f"{path}?{query}" if query else path, raw, headers


@pytest.mark.parametrize("route", ROUTES)
def test_whatever_comes_is_answered_in_the_protocols_words(front: Front, route: str) -> None:
    stranger = front.gateway.of(STRANGER)
    seen = set()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(route, front))
    def send(request: tuple[str, str, bytes, Any]) -> None:
        method, path, raw, headers = request
        answer = front.send(stranger, method, path, raw, **headers)
        seen.add(answer.status)
        assert answer.status < 500, answer.body
        assert PRIVATE.encode() not in answer.body
        if answer.status >= 400:
            kind = next(value for name, value in answer.headers if name.lower() == "content-type")
            problem = json.loads(answer.body)
            assert kind == "application/problem+json"
            assert problem["status"] == answer.status
            assert problem["detail"] or answer.status == 422

    send()
    assert min(seen) < 400 or "deployments/" in route, "the catalogue has none: all is 404"


def test_nothing_of_the_owners_was_touched(front: Front) -> None:
    """Last: after all that the stranger tried."""
    owner, (prediction, file) = front.gateway.of(OWNER), front.theirs
    shown = json.loads(front.send(owner, "GET", f"{ROOT}/predictions/{prediction}").body)
    assert PRIVATE in shown["input"]["prompt"]
    assert shown["status"] in {"starting", "processing", "succeeded"}
    assert json.loads(front.send(owner, "GET", f"{ROOT}/files/{file}").body)["name"]
