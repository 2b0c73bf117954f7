"""A stack with `ApiAuth=KEYS`: a key from `vsl keys create` to its end.

Its files are read at a distribution (`MediaDelivery=cloudfront`): clients send their key there, too.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from replicate.client import Client
from replicate.helpers import FileOutput
from typer.testing import CliRunner

from cli.doctor.findings import Scope
from cli.doctor.reach import secrets_in_force
from cli.doctor.site import local_site
from cli.main import app
from tests.support import web
from tests.support.api import unique
from tests.support.auth_gateways import minted_key
from tests.support.cutting_proxy import cutting_proxy
from tests.support.receiver import receiver
from tests.support.rsa_keys import pair, pem
from tests.support.stack import Stack
from tests.support.stock import needs_stock_python, python_client
from tests.support.template import REPOSITORY
from tests.support.waiting import until
from vsl.adapters.aws import clients
from vsl.adapters.cloudfront.signing_keys import PRIVATE_KEY as KEY_NAME
from vsl.domain.api.api_key import join_key

pytestmark = pytest.mark.e2e

REQUEST = {"modelId": "flux-schnell"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    state = str(tmp_path_factory.mktemp("keys") / "state")
    try:
        options = ("--auth", "KEYS", "--media-delivery", "cloudfront", "--speed", "0.05")
        started = vsl("up", "--detach", "--json", *options, "--port", "0", state=state)
        yield json.loads(started)
    finally:
        vsl("down", state=state)


def vsl(*words: str, state: str) -> str:
    command = [str(Path(sys.executable).parent / "vsl"), *words, "--state", state]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VSL_API_URL", "VSL_API_KEY", "VSL_TOKEN", "VSL_STAGE", "VSL_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))


def answer(*words: str, exit_code: int = 0) -> Any:
    shown = CliRunner().invoke(app, [*words, "--json"])
    assert shown.exit_code == exit_code, shown.output
    return json.loads(shown.stdout)


def send(
    document: dict[str, Any], method: str, path: str, headers: dict[str, str], body: Any = None
) -> httpx.Response:
    url = f"{document['apiUrl']}{path}"
    return web.request(method, url, headers=headers, json=body)


def status_of(document: dict[str, Any], job_id: str, headers: dict[str, str]) -> str:
    return str(send(document, "GET", f"/jobs/{job_id}", headers).json()["status"])


def test_a_key_from_its_making_to_its_end(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ("--state", document["state"])
    user = unique("shop").replace(" ", "-")
    made = answer("keys", "create", "--user", user, "--project", "e2e", "--expires", "1d", *state)
    key = made["key"]
    headers = ({"Authorization": f"Bearer {key}"}, {"x-api-key": key})
    jobs = set()
    for each in headers:
        body = {**REQUEST, "parameters": {"prompt": unique("a fox")}}
        accepted = send(document, "POST", "/generate-media", each, body)
        assert accepted.status_code == 202, accepted.text
        job_id = accepted.json()["jobId"]
        until(partial(status_of, document, job_id, each), lambda status: status == "succeeded")
        jobs.add(job_id)
    listed = send(document, "GET", "/jobs", headers[0]).json()["jobs"]
    assert {(job["jobId"], job["userId"]) for job in listed} == {(job, user) for job in jobs}

    named = {**REQUEST, "userId": "another", "parameters": {"prompt": "x"}}
    assert send(document, "POST", "/generate-media", headers[0], named).status_code == 403
    both = headers[0] | {"x-api-key": document["auth"]["userKey"]}
    assert send(document, "GET", "/jobs", both).status_code == 401
    assert send(document, "GET", "/keys", headers[0]).status_code == 403

    with monkeypatch.context() as own:  # the command as this user, who names nobody
        own.setenv("VSL_API_URL", document["apiUrl"])
        own.setenv("VSL_API_KEY", key)
        assert {job["jobId"] for job in answer("jobs")["jobs"]} == jobs
        done = answer("generate", "flux-schnell", "--prompt", unique("a hare"))
        assert (done["status"], done["userId"]) == ("succeeded", user)
        assert answer("keys", "list", exit_code=4)["error"]["code"] == "Forbidden"

    (known,) = answer("keys", "list", "--user", user, *state)["keys"]
    assert (known["keyId"], known["status"], known["project"]) == (made["keyId"], "active", "e2e")
    for _ in range(2):
        assert answer("keys", "revoke", made["keyId"], *state)["revoked"]
    (known,) = answer("keys", "list", "--user", user, *state)["keys"]
    assert known["status"] == "revoked"
    for each in headers:  # what a process has read counts for half a minute
        asked = partial(send, document, "GET", "/jobs", each)
        until(asked, lambda answered: answered.status_code == 401, pause=0.5)
    assert send(document, "POST", "/generate-media", headers[1], named).status_code == 401


def test_equal_requests_by_a_key_with_a_window_are_one(document: dict[str, Any]) -> None:
    """Also for a client that says nothing of repetitions, as Replicate's for JavaScript."""
    state = ("--state", document["state"])
    user = unique("window").replace(" ", "-")
    window = answer("keys", "create", "--user", user, "--dedupe", "3600", *state)
    plain = answer("keys", "create", "--user", user, *state)
    assert (window["dedupeSeconds"], plain["dedupeSeconds"]) == (3600, 0)
    prompt = unique("once")
    native = {**REQUEST, "parameters": {"prompt": prompt}}
    model, its = "black-forest-labs/flux-schnell", {"input": {"prompt": unique("once")}}
    for path, body, job in (
        ("/generate-media", native, "jobId"),
        (f"/replicate/v1/models/{model}/predictions", its, "id"),
    ):
        for key, jobs in ((window, 1), (plain, 2)):
            headers = {"Authorization": f"Bearer {key['key']}"}
            sent = [send(document, "POST", path, headers, body) for _ in range(2)]
            assert all(each.is_success for each in sent), [each.text for each in sent]
            assert len({each.json()[job] for each in sent}) == jobs


@needs_stock_python
def test_openais_client_is_told_of_keys_that_open_nothing(document: dict[str, Any]) -> None:
    """By API Gateway, which knows nothing of its errors: by the status, then, and only once."""
    stack, user = Stack(document), unique("painter").replace(" ", "-")
    past = datetime.now(UTC) - timedelta(seconds=1)
    good = minted_key(stack, user)
    wrong = {
        "unknown": join_key("0" * 16, "x" * 43),
        "forged": good[:-4] + "AAAA",
        "no key": "sk-of-somebody-else",
        "expired": minted_key(stack, user, expires_at=past),
        "revoked": minted_key(stack, user, revoked_at=past),
    }
    with cutting_proxy(document["apiUrl"], lose=0) as proxy:
        told = python_client("openai_client", proxy.url, "keys", unique("x"), good, *wrong.values())
    refused = [["AuthenticationError", 401, "Unauthorized"]] * len(wrong)
    assert told == [["works"], *refused, ["PermissionDeniedError", 403, "Forbidden"]]
    assert proxy.answers == [200, *[401] * len(wrong), 403], "nothing is sent again"
    stack.close()


def test_a_repeated_creation_makes_no_second_key(document: dict[str, Any]) -> None:
    user = unique("repeat").replace(" ", "-")
    operator = {"x-api-key": document["auth"]["apiKey"], "Idempotency-Key": unique("k")}
    first = send(document, "POST", "/keys", operator, {"userId": user})
    again = send(document, "POST", "/keys", operator, {"userId": user})
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["keyId"] == first.json()["keyId"]
    assert "key" not in again.json()
    found = send(document, "GET", f"/keys?owner={user}", operator).json()["keys"]
    assert [each["keyId"] for each in found] == [first.json()["keyId"]]


def test_the_first_key_of_a_stage_comes_by_aws_credentials(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The functions are those of a stage, but that the local engine has no aliases."""
    monkeypatch.setattr("cli.client.invoked.ALIAS", "")
    monkeypatch.setattr("cli.client.target.STAGES", ("local",))
    monkeypatch.setattr("cli.client.keys.stack_facts", lambda _: ({}, {"ApiAuth": "KEYS"}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", document["awsEndpointUrl"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = answer("keys", "create", "--operator", "--stage", "local")
    operator = {"Authorization": f"Bearer {made['key']}"}
    assert send(document, "GET", "/operations", operator).status_code == 200
    listed = answer("keys", "list", "--stage", "local")["keys"]
    assert made["keyId"] in [each["keyId"] for each in listed]
    assert answer("keys", "revoke", made["key"], "--stage", "local")["keyId"] == made["keyId"]
    refused = answer("keys", "revoke", "f" * 16, "--stage", "local", exit_code=3)
    assert refused["error"]["code"] == "KeyNotFound"


@pytest.fixture
def replicate_client(document: dict[str, Any]) -> Iterator[Client]:
    key = document["auth"]["userKey"]
    made = Client(key, base_url=f"{document['apiUrl']}/replicate", trust_env=False)
    yield made
    made._client.close()


def test_replicates_client_reads_a_file_with_its_key_in_the_request(
    document: dict[str, Any], replicate_client: Client
) -> None:
    """Locally an address is http, which the client leaves a text: its own class reads it, as it reads an
    https one by itself, with the Authorization header and without following a redirect."""
    sent = {"prompt": unique("a lighthouse")}
    (address,) = replicate_client.run("black-forest-labs/flux-schnell", input=sent)
    assert str(address).startswith(f"{document['mediaUrl']}/media/")
    output = FileOutput(str(address), replicate_client)
    assert output.read()[8:12] == b"WEBP"
    assert b"".join(output)[8:12] == b"WEBP"
    sent_key = replicate_client._client.headers["Authorization"]
    assert sent_key == f"Bearer {document['auth']['userKey']}"


def test_every_address_of_a_file_is_the_distributions(document: dict[str, Any]) -> None:
    key = {"Authorization": f"Bearer {document['auth']['userKey']}"}
    body = {**REQUEST, "prompt": unique("a bell")}
    with receiver() as server:
        asked = {**body, "callbackUrl": f"{server.origin}/ended"}
        made = send(document, "POST", "/generate-media", key, asked)
        (told,) = server.wait("/ended")
    job_id = made.json()["jobId"]
    image = {"model": "flux-schnell", "prompt": unique("a boat"), "response_format": "url"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    tool = {"name": "get_job", "arguments": {"jobId": job_id}}
    spoken = {**key, "Accept": "application/json, text/event-stream"}
    answers = {
        "callback": told.body.decode(),
        "status": send(document, "GET", f"/status/{job_id}", key).text,
        "list": send(document, "GET", "/jobs?limit=1", key).text,
        "replicate": send(document, "GET", f"/replicate/v1/predictions/{job_id}", key).text,
        "openai": send(document, "POST", "/openai/v1/images/generations", key, image).text,
        "mcp": send(document, "POST", "/mcp", spoken, {**call, "params": tool}).text,
    }
    for name, text in answers.items():
        addresses = re.findall(r"https?://[^\s\"\\\\]+/(?:media|thumbnails)/[^\s\"\\\\]+", text)
        assert addresses, (name, text)
        for address in addresses:
            assert address.startswith(f"{document['mediaUrl']}/"), (name, address)
            assert web.get(address).status_code == 200, name
    picture = send_file(document, job_id)
    assert web.head(picture).headers["content-type"].startswith("image/")
    part = web.get(picture, headers={"Range": "bytes=8-11"})
    assert (part.status_code, part.content) == (206, b"WEBP")
    again = {"If-None-Match": part.headers["etag"]}
    assert web.get(picture, headers=again).status_code == 304


def send_file(document: dict[str, Any], job_id: str) -> str:
    key = {"Authorization": f"Bearer {document['auth']['userKey']}"}
    status = send(document, "GET", f"/status/{job_id}", key).json()
    assert status["result"]["thumbnailUrl"].startswith(f"{document['mediaUrl']}/thumbnails/")
    return str(status["result"]["originalUrl"])


def test_the_doctor_names_a_key_that_cloudfront_does_not_know(document: dict[str, Any]) -> None:
    clients.forget()
    site = local_site(document)
    try:
        assert [each for each in secrets_in_force(site, Scope()) if KEY_NAME in each.subject] == []
        faulty = {pem(pair("another")): "neither MediaPublicKeyA nor", "no key": "in PEM"}
        right = site.parameters.get(KEY_NAME)
        store = clients.client("ssm")
        for text, said in faulty.items():
            named = {"Name": f"/vsl/local/{KEY_NAME}", "Type": "SecureString", "Overwrite": True}
            store.put_parameter(Value=text, **named)
            seen = local_site(document)
            found = [each for each in secrets_in_force(seen, Scope()) if KEY_NAME in each.subject]
            store.put_parameter(Value=right, **named)
            (finding,) = found
            assert said in finding.what
            assert "put-parameter" in str(finding.advice)
            seen.close()
    finally:
        site.close()
        clients.forget()
