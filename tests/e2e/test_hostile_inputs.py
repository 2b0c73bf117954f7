"""What an attacker would send, each with the refusal it meets; nothing is stored, nothing is billed.

One row an input. Most go to the running stack. Those about addresses inside a network are judged by
the use case with the settings of AWS, because the local stack takes its own machine's addresses.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Never

import httpx
import psycopg
import pytest

from tests.support import web
from tests.support.admission import make_accept_request
from tests.support.api import unique
from tests.support.models import catalogue
from tests.support.stack import Stack
from vsl.domain.errors import VslError
from vsl.domain.jobs.execution import Execution
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import Job
from vsl.domain.predictions.signature import sign

pytestmark = pytest.mark.e2e

JOB, UPLOAD, WEBHOOK = "/generate-media", "/uploads", "/webhook/replicate"
ESTIMATE = "/models/flux-schnell/estimate"
JSON = "application/json"
KIB = 1024
NINES = "9" * 5000
ANOTHER = "whsec_" + "b3RoZXI1" * 4
REQUEST = {"userId": "mallory", "modelId": "flux-schnell", "parameters": {"prompt": "a fence"}}
FILE = {"userId": "mallory", "contentType": "image/png"}
NOBODY = new_job_id(datetime(2026, 3, 1, tzinfo=UTC), "nobody")
PREDICTION = b'{"id": "zzzzzzzzzzzzzzzzzzzzzzzzzz", "status": "succeeded", "output": null}'


@dataclass(frozen=True)
class Row:
    """`body` may be bytes, which are sent as they are; `place` is what the answer names as wrong."""

    name: str
    status: int
    code: str
    body: Any = None
    to: str = JOB
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    place: str | None = None

    def send(self, stack: Stack) -> httpx.Response:
        content = self.body if isinstance(self.body, bytes | None) else json.dumps(self.body)
        headers = {"Content-Type": JSON, **self.headers}
        return web.request(
            self.method,
            stack.api.url + self.to,
            content=content,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        )


def job(name: str, status: int = 400, code: str = "InvalidRequest", **changes: Any) -> Row:
    return Row(name, status, code, REQUEST | changes)


def prompt(name: str, text: Any) -> Row:
    return job(name, code="InvalidParameters", parameters={"prompt": text})


def image(name: str, address: str) -> Row:
    parameters = {"image": address}
    return job(name, code="InvalidParameters", modelId="stability-video", parameters=parameters)


def raw(
    name: str, body: bytes, status: int = 400, code: str = "InvalidRequest", **more: Any
) -> Row:
    return Row(name, status, code, body, **more)


def with_parameters(text: str) -> bytes:
    return f'{{"userId":"mallory","modelId":"sdxl","parameters":{text}}}'.encode()


def upload(name: str, **changes: Any) -> Row:
    return Row(name, 400, "InvalidRequest", FILE | changes, UPLOAD)


def read(name: str, path: str, status: int = 404, code: str = "JobNotFound") -> Row:
    return Row(name, status, code, to=path, method="GET")


TABLE = [
    # --- bodies ----------------------------------------------------------------------------------
    raw("no body", b""),
    raw("a truncated body", json.dumps(REQUEST).encode()[:-9]),
    raw("XML", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
    raw("a list", b"[]"),
    raw("two documents", b"{} {}"),
    raw("NaN", b'{"userId":"mallory","modelId":"sdxl","parameters":{"guidance_scale":NaN}}'),
    raw("nested 9,000 deep", b'{"parameters":' * 9_000),
    raw("nested 100,000 deep", b'{"parameters":' * 100_000, 413, "PayloadTooLarge"),
    raw("a list nested 100,000 deep", b"[" * 100_000 + b"]" * 100_000),
    prompt("an object nested 90 deep", json.loads('{"a":' * 90 + "1" + "}" * 90)),
    raw("a number of 5,000 digits", b'{"userId":"mallory","modelId":' + b"9" * 5000 + b"}"),
    raw("compressed", b"\x1f\x8b\x08\x00\x00\x00", headers={"Content-Encoding": "gzip"}),
    job("129 KiB", 413, "PayloadTooLarge", parameters={"prompt": "x" * 129 * KIB}),
    job("300 KiB", 413, "PayloadTooLarge", parameters={"prompt": "x" * 300 * KIB}),
    raw("11 MiB", b" " * 11 * KIB * KIB, 413, "PayloadTooLarge"),
    *(
        raw(kind, b"{}", 415, "UnsupportedMediaType", headers={"Content-Type": kind})
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "x\\y")
    ),
    raw("a name twice", b'{"contentType":"image/png","userId":"a","userId":"b"}', to=UPLOAD),
    raw("Infinity", b'{"contentType":"image/png","userId":"a","size":Infinity}', to=UPLOAD),
    raw("deep in an upload", b"[" * 100_000, to=UPLOAD),
    # --- the envelope ----------------------------------------------------------------------------
    *(
        job(f"user id {user_id!r:.24}", userId=user_id)
        for user_id in (
            "../../media/ann", "a/b", "a\\b", ".hidden", "", " ", "x" * 129, "a\r\nX-Admin: 1", "a\0",
            "ännchen", "a\u202eb", "😀", "' OR '1'='1", "$context.identity", "{{7*7}}", 7, None, ["a"],
        )
    ),
    job("no user", userId=None),
    job("a model's path", 404, "UnknownModel", modelId="../flux-schnell"),
    job("a model of JavaScript", 404, "UnknownModel", modelId="__proto__"),
    job("a model with NUL", 404, "UnknownModel", modelId="flux-schnell\0"),
    job("a model's name of 101 characters", modelId="m" * 101),
    job("an unknown field", isAdmin=True),
    job("a subject of its own", subject="ann"),
    job("a job id of its own", jobId=NOBODY),
    job("a price of its own", estimatedCost=0),
    *(
        Row(f"idempotency key: {name}", 400, "InvalidRequest", REQUEST, headers={"Idempotency-Key": key})
        for name, key in (("256 characters", "k" * 256), ("not ASCII", "clé"), ("a tab", "a\tb"))
    ),
    # --- prompts and inputs ----------------------------------------------------------------------
    prompt("NUL", "a\0b"),
    *(
        Row(name, 400, "InvalidRequest", with_parameters(text), to, place=place)
        for to in (JOB, ESTIMATE)
        for name, text, place in (
            ("half an emoji", r'{"prompt":"a\ud83d"}', "parameters.prompt"),
            ("half an emoji in a name", r'{"a\ud83d":1}', "parameters"),
            ("1e400", '{"guidance_scale":1e400}', "parameters.guidance_scale"),
            ("5,000 levels", '{"a":' * 5000 + "1" + "}" * 5000, "parameters.a.a.a.a.…"),
            ("a name twice", '{"seed":1,"seed":2}', "seed"),
        )
    ),
    prompt("a bell", "a\x07b"),
    prompt("an escape sequence", "\x1b[2Jgone"),
    prompt("nothing but spaces", " \n\t "),
    prompt("10,001 characters", "a" * 10_001),
    prompt("no text", {"$ne": ""}),
    job("an unknown parameter", code="InvalidParameters", parameters={"prompt": "a", "webhook": "https://x.example"}),
    image("a file", "file:///etc/passwd"),
    image("gopher", "gopher://127.0.0.1:6379/_FLUSHALL"),
    image("credentials", "https://ann:secret@example.com/a.png"),  # pragma: allowlist secret
    image("a backslash before @", "https://example.com\\@10.0.0.1/"),
    image("a header in the address", "https://example.com/\r\nHost: 10.0.0.1"),
    image("no base64", "data:image/png;base64,****"),
    image("somebody's upload", f"upload:{NOBODY}"),
    image("a path as an upload", "upload:../../media/ann"),
    # --- callbacks -------------------------------------------------------------------------------
    *(
        job(f"callback: {name}", callbackUrl=url)
        for name, url in (
            ("a file", "file:///etc/passwd"),
            ("a script", "javascript:alert(1)"),
            ("credentials", "https://ann:secret@example.com/"),  # pragma: allowlist secret
            ("another host after @", "https://example.com@10.0.0.1/"),
            ("a header", "https://example.com/\r\nX-Admin: 1"),
            ("a fragment", "https://example.com/#x"),
            ("no host", "https:///x"),
            ("port 0", "https://example.com:0/"),
            ("2,049 characters", "https://example.com/" + "a" * 2029),
            ("no text", 7),
        )
    ),
    # --- uploads ---------------------------------------------------------------------------------
    *(upload(f"file name {name!r:.24}", fileName=name) for name in (
        "../../etc/passwd", "a\\b", "a\r\nX-Amz-Acl: public-read", "a\0.png", "", "x" * 256, 7)),
    *(upload(f"type {kind!r:.24}", contentType=kind) for kind in (
        "text/html", "image/svg+xml", "image/png\r\nX-Amz-Acl: public-read", "image/*", None)),
    *(upload(f"size {size!r:.24}", size=size) for size in (0, -1, 10**12, 1.5, "1", True)),
    upload("a key of its own", key="media/ann/x"),
    # --- reading ---------------------------------------------------------------------------------
    *(
        read(f"status of {name}", f"/status/{job_id}")
        for name, job_id in (
            ("a path", "..%5C..%5Cetc%5Cpasswd"), ("NUL", "%00"), ("a header", "a%0d%0aX-Admin:%201"),
            ("SQL", "'%20OR%20'1'='1"), ("4,000 characters", "a" * 4000), ("another case", NOBODY.upper()),
        )
    ),
    read("a user with a header", "/jobs?userId=a%0d%0aX-Admin:%201", 400, "InvalidRequest"),
    read("a forged cursor", "/jobs?userId=mallory&cursor=AAAA", 400, "InvalidRequest"),
    read("a limit of 10^9", "/jobs?userId=mallory&limit=1000000000", 400, "InvalidRequest"),
    read("a wait of 10^9", f"/status/{NOBODY}?wait=1000000000", 400, "InvalidRequest"),
    read("a file above the console", "/console/..%5Capp.py", 404, "FileNotFound"),
]  # fmt: skip


@dataclass(frozen=True)
class Books:
    """Everything a request could leave behind, by id."""

    jobs: frozenset[str]
    live: frozenset[str]
    predictions: frozenset[str]
    objects: frozenset[str]

    def beyond(self, before: "Books") -> list[str]:
        """What is new, but for what a job that was known before has brought meanwhile."""
        new = (
            (self.jobs - before.jobs)
            | (self.live - before.live)
            | (self.predictions - before.predictions)
            | (self.objects - before.objects)
        )
        known = before.jobs | before.live
        return [each for each in new if not any(job in each for job in known)]


def books(stack: Stack) -> Books:
    with psycopg.connect(stack.database_url) as connection:
        jobs = [str(row[0]) for row in connection.execute("SELECT job_id FROM jobs")]
    items = stack.client("dynamodb").get_paginator("scan")
    listed = stack.client("s3").get_paginator("list_objects_v2")
    return Books(
        frozenset(jobs),
        frozenset(
            item["jobId"]["S"]
            for page in items.paginate(TableName=stack.document["table"])
            for item in page["Items"]
        ),
        frozenset(f"{each.id} for {each.webhook}" for each in stack.control.predictions()),
        frozenset(
            each["Key"]
            for page in listed.paginate(Bucket=stack.document["bucket"])
            for each in page.get("Contents", ())
        ),
    )


@pytest.fixture(scope="class")
def nothing_left(stack: Stack) -> Iterator[None]:
    """What any test of the class leaves is an error of its last one: to look after each takes longer
    than the test. Each alone (`-k`) then tells which it was.

    What has gone since was an earlier test's, and ran out.
    """
    before = books(stack)
    yield
    assert books(stack).beyond(before) == []


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert not {"x-admin", "x-amz-acl"} & {name.lower() for name in answer.headers}


@pytest.mark.usefixtures("nothing_left")
class TestRequests:
    @pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.to} {row.name}") for row in TABLE])
    def test_it_is_refused_and_leaves_nothing(self, stack: Stack, row: Row) -> None:
        answer = row.send(stack)
        refused(answer, row.status, row.code)
        if row.place is not None:
            assert [each["field"] for each in answer.json()["fields"]] == [row.place]


# --- addresses inside a network, as AWS judges them ------------------------------------------------

INSIDE = {
    "loopback": "127.0.0.1",
    "loopback, short": "127.1",
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "octal": "0177.0.0.1",
    "mixed": "0x7f.0.0.1",
    "with a dot at its end": "127.0.0.1.",
    "the credentials of a role": "169.254.169.254",
    "the same, decimal": "2852039166",
    "the same of IPv6": "[fd00:ec2::254]",
    "a private network": "10.0.0.8",
    "carrier-grade NAT": "100.64.0.1",
    "this host": "0.0.0.0",
    "IPv6 loopback": "[::1]",
    "IPv4 in IPv6": "[::ffff:127.0.0.1]",
    "the same in hexadecimal": "[::ffff:7f00:1]",
    "IPv4-compatible": "[::127.0.0.1]",
    "NAT64": "[64:ff9b::a9fe:a9fe]",
    "6to4": "[2002:7f00:1::]",
    "link-local": "[fe80::1]",
    "multicast": "224.0.0.1",
    "too many parts": "1.2.3.4.5",
    "a local name": "localhost",
    "a local name with a dot": "localhost.",
    "a name below it": "metadata.google.internal",
    "a name of a network's own": "printer.local",
    "a bare name": "redis",
}


@pytest.mark.parametrize("field_name", ["callbackUrl", "image"])
@pytest.mark.parametrize("name", INSIDE)
def test_an_address_inside_a_network_is_refused_on_aws(name: str, field_name: str) -> None:
    address = f"https://{INSIDE[name]}/x"
    body: dict[str, Any] = {"userId": "mallory", "modelId": "stability-video"}
    if field_name == "image":
        body["parameters"] = {"image": address}
    else:
        body |= {"parameters": {"image": "https://example.com/a.png"}, "callbackUrl": address}

    class Untouched:
        def claim(self, *_: object) -> Never:
            pytest.fail("the key was claimed")

        def find(self, *_: object) -> None:
            """The key is not known."""

        forget = claim

    def beyond(_: Job) -> Never:
        pytest.fail("the request was taken")

    execution = Execution("arn:execution", "e", datetime(2026, 3, 1, tzinfo=UTC))
    document = {"request": body, "idempotencyKey": "k"}
    with pytest.raises(VslError) as caught:
        make_accept_request(catalogue(), None, beyond)(document, execution, Untouched())
    assert caught.value.status == 400
    fields = caught.value.details["fields"]
    assert isinstance(fields, list)
    assert [fault["field"].rpartition(".")[2] for fault in fields] == [field_name]


# --- webhooks ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forgery:
    """A signed webhook with something wrong about it; `age` in seconds, `sent` is not what was signed."""

    name: str
    status: int
    code: str
    body: bytes = PREDICTION
    sent: bytes | None = None
    age: float = 0
    scheme: str = "v1"
    secret: str = ""
    drop: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = f"jobId={NOBODY}&attempt=1"

    def send(self, stack: Stack) -> httpx.Response:
        timestamp = str(int(time.time() - self.age))
        signature = sign(self.secret or stack.webhook_secret, "msg_1", timestamp, self.body)
        headers = {
            "Content-Type": JSON,
            "webhook-id": "msg_1",
            "webhook-timestamp": timestamp,
            "webhook-signature": f"{self.scheme},{signature}",
            **self.headers,
        }
        headers.pop(self.drop, None)
        return web.post(
            f"{stack.api.url}{WEBHOOK}?{self.query}",
            content=self.body if self.sent is None else self.sent,
            headers=headers,
        )


OTHERS = b'{"id":"z","status":"succeeded","webhook":"https://x.example/webhook/replicate?jobId=%s&attempt=1"}'
FORGERIES = [
    Forgery("no signature", 401, "InvalidSignature", drop="webhook-signature"),
    Forgery("no time", 401, "InvalidSignature", drop="webhook-timestamp"),
    Forgery("another secret", 401, "InvalidSignature", secret=ANOTHER),
    Forgery("a signature of another kind", 401, "InvalidSignature", scheme="v1a"),
    Forgery("a signature that is no base64", 401, "InvalidSignature", headers={"webhook-signature": "v1,*"}),
    Forgery("another id", 401, "InvalidSignature", headers={"webhook-id": "msg_2"}),
    Forgery("a swapped body", 401, "InvalidSignature", sent=PREDICTION.replace(b"null", b'["x"]')),
    Forgery("one byte more", 401, "InvalidSignature", sent=PREDICTION + b" "),
    Forgery("six minutes old", 401, "InvalidSignature", age=360),
    Forgery("six minutes early", 401, "InvalidSignature", age=-360),
    Forgery("a time that is no number", 401, "InvalidSignature", headers={"webhook-timestamp": "now"}),
    Forgery("a time of 5,000 digits", 401, "InvalidSignature", headers={"webhook-timestamp": NINES}),
    Forgery("signed, of no job", 404, "JobNotFound"),
    Forgery("signed, attempt 99…9", 404, "JobNotFound", query=f"jobId={NOBODY}&attempt={NINES}"),
    Forgery("signed, no prediction", 400, "InvalidRequest", body=b"{}"),
    Forgery("signed, no JSON", 400, "InvalidRequest", body=b"{"),
    Forgery("signed, nested 100,000 deep", 400, "InvalidRequest", body=b"[" * 100_000),
    Forgery("signed for another job than the address says", 400, "InvalidRequest",
            body=OTHERS % new_job_id(datetime(2026, 3, 2, tzinfo=UTC), "other").encode()),
]  # fmt: skip


@pytest.mark.usefixtures("nothing_left")
class TestWebhooks:
    @pytest.mark.parametrize("forgery", [pytest.param(each, id=each.name) for each in FORGERIES])
    def test_one_that_is_not_genuine_changes_nothing(self, stack: Stack, forgery: Forgery) -> None:
        refused(forgery.send(stack), forgery.status, forgery.code)


def test_a_webhook_without_its_address_is_turned_on_no_other_job(stack: Stack) -> None:
    """The address is not signed: what it says counts only where something else proves it."""
    ended = stack.api.run("flux-schnell", {"prompt": unique("mine")}, user_id="mallory")
    victim = stack.api.submit("minimax-video-01", {"prompt": unique("a fox")}, user_id="victim")
    query = f"jobId={victim}&attempt=1"
    known = json.dumps({"id": ended["replicateId"], "status": "processing"}).encode()
    unknown = json.dumps({"id": "z" * 26, "status": "failed", "error": "no"}).encode()
    for body, status, code in ((known, 400, "InvalidRequest"), (unknown, 404, "JobNotFound")):
        refused(Forgery("", status, code, body=body, query=query).send(stack), status, code)
    assert stack.api.finish(victim)["status"] == "succeeded"
    assert stack.control.prediction(ended["replicateId"]).status == "succeeded"


# --- what is legitimate, however odd -----------------------------------------------------------------

ODD = (
    "emoji 👩‍👩‍👧 🏳️‍🌈, right-to-left \u202eמרחבא\u202c مرحبا, e\u0301 and é, 漢字, zero\u200bwidth, "
    "quotes \"'` \\ \\n, $util #set($x=1) ${a} {{b}} %00 %7B </script> ' OR 1=1 --\ttab\nline"
)


def test_odd_text_is_stored_and_sent_as_it_is(stack: Stack) -> None:
    """And the provider's word on its end, said again, changes nothing."""
    text = f"{ODD} {unique('')}"
    job_id = stack.api.submit("flux-schnell", {"prompt": text}, user_id="mallory")
    ended = stack.api.finish(job_id)
    assert ended["status"] == "succeeded"
    answer = web.get(f"{stack.api.url}/status/{job_id}?include=parameters")
    assert answer.json()["parameters"]["prompt"] == text
    prediction = stack.control.prediction(ended["replicateId"])
    assert prediction.input["prompt"] == text
    replayed = {
        "id": prediction.id,
        "status": "failed",
        "error": "no",
        "webhook": prediction.webhook,
    }
    before = books(stack)
    query = str(prediction.webhook).partition("?")[2]
    again = Forgery("replayed", 200, "", body=json.dumps(replayed).encode(), query=query).send(
        stack
    )
    assert (again.status_code, again.json()["result"]) in {(200, "duplicate"), (200, "ignored")}
    assert books(stack) == before
    after = stack.api.status(job_id)
    assert {name: after[name] for name in ("status", "actualCost", "error")} == {
        name: ended[name] for name in ("status", "actualCost", "error")
    }
