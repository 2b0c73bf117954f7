"""The front that plays the distribution of stored files: what it lets in, and what S3 gets to see of it."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from devstack.distribution.app import DistributionApp
from devstack.distribution.description import describe, distributes
from tests.support.deployed import PSEUDO, values
from tests.support.file_server import FileServer, answer, file_server
from tests.support.rsa_keys import canned, lines, pair, pem
from tests.support.template import template
from vsl.adapters.cloudfront.signer import CloudFrontAddresses

HOST = "files.test"
PLACE = "/media/me/image/2026/03/01/job/0-out.png"
TYPED = f"{PLACE}?response-content-type=image%2Fpng"
CHOSEN = {"MediaDelivery": "cloudfront", "CorsOrigins": "https://a.example,https://b.example"}


class Front:
    """The front before a server that stands for S3, after the template with one or two keys."""

    def __init__(self, folder: Path, origin: FileServer, loop: BlockingPortal, **keys: str) -> None:
        self.origin = origin
        self._loop = loop
        self._file = folder / "distribution.json"
        self.told = ""
        self.deploy(**keys)
        self._app = DistributionApp(self._file, origin.origin)

    def deploy(self, **keys: str) -> None:
        given = {f"MediaPublicKey{place}": lines(pair(name)) for place, name in keys.items()}
        chosen = {**PSEUDO, **values({**CHOSEN, **given})}
        document, self.told = describe(template(), chosen, "bucket", HOST)
        self._file.write_text(json.dumps(document))
        self.ids = list(document["keys"])

    def signed(self, place: str = TYPED, name: str = "one", later: int = 60, **given: Any) -> str:
        key_id = given.get("key_id") or self.ids[0]
        until = int(time.time()) + later
        url = f"https://{HOST}{place}"
        return canned(url, until, pair(name), key_id, given.get("hash_name", "SHA256"))

    def get(self, url: str, method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self._app)) as client:
                return await client.request(method, url, headers=named)

        return self._loop.call(ask)

    def pieces(self, url: httpx.URL) -> list[int]:
        """The sizes of what comes one after the other; httpx's transport would gather it first."""
        sizes: list[int] = []

        async def receive() -> Any:
            raise NotImplementedError

        async def send(message: Any) -> None:
            sizes.append(len(message.get("body", b"")))

        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "https",
            "headers": [(b"host", HOST.encode())],
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
        }
        self._loop.call(self._app, scope, receive, send)
        return sizes

    def close(self) -> None:
        self._loop.call(self._app.close)

    def seen(self) -> Mapping[str, str]:
        """The headers of the one request that S3 got."""
        ((_, headers),) = self.origin.requests
        return headers


@contextmanager
def fronted(folder: Path, **keys: str) -> Iterator[Front]:
    """One event loop for all requests: a connection to S3 belongs to the loop that opened it."""
    with file_server() as origin, start_blocking_portal() as loop:
        origin.serve(f"/bucket{TYPED}", b"a picture")
        made = Front(folder, origin, loop, **keys)
        yield made
        made.close()


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    with fronted(tmp_path, A="one") as made:
        yield made


@pytest.mark.parametrize("hash_name", ["SHA1", "SHA256"])
def test_a_signed_address_is_read(front: Front, hash_name: str) -> None:
    answered = front.get(front.signed(hash_name=hash_name))
    assert (answered.status_code, answered.content) == (200, b"a picture")
    assert answered.headers["content-type"] == "image/png"


def test_what_functions_sign_is_read(front: Front) -> None:
    """By what the template writes for them, and nothing else."""
    made = CloudFrontAddresses(lambda: front.told, lambda: pem(pair("one")), 60)
    url = made.url(PLACE.removeprefix("/"), "image/png")
    assert url.startswith(f"https://{HOST}{TYPED}&")
    assert front.get(url).content == b"a picture"


def test_a_viewers_authorization_never_reaches_s3(front: Front) -> None:
    answered = front.get(
        front.signed(), Authorization="Bearer r8_a-key", Cookie="a=b", X_Amz_Acl="public-read"
    )
    assert answered.status_code == 200
    seen = front.seen()
    assert seen["authorization"].startswith("AWS4-HMAC-SHA256 ")
    assert "r8_a-key" not in str(seen)
    assert not {"cookie", "x-amz-acl"} & seen.keys()


REFUSED: dict[str, tuple[Callable[[Front], str], str]] = {
    "no signature": (lambda _: f"https://{HOST}{TYPED}", "MissingKey"),
    "no key": (lambda front: front.signed().partition("&Key-Pair")[0], "MissingKey"),
    "an unknown key": (lambda front: front.signed(key_id="KNOBODY"), "InvalidKey"),
    "signed by another": (lambda front: front.signed(name="two"), "AccessDenied"),
    "expired": (lambda front: front.signed(later=-1), "AccessDenied"),
    "a later end": (
        lambda front: front.signed().replace("Expires=", "Expires=1"),
        "AccessDenied",
    ),
    "no end": (
        lambda front: front.signed().replace("Expires=", "Expired="),
        "AccessDenied",
    ),
    "another file": (lambda front: front.signed().replace("0-out", "1-out"), "AccessDenied"),
    "another type": (lambda front: front.signed().replace("image%2F", "text%2F"), "AccessDenied"),
    "more in the query": (lambda front: front.signed() + "&a=b", "AccessDenied"),
    "another host": (lambda front: front.signed().replace(HOST, "else.test"), "AccessDenied"),
    "no base64": (
        lambda front: front.signed().replace("Signature=", "Signature=!"),
        "AccessDenied",
    ),
    "another hash": (lambda front: front.signed().replace("=SHA256", "=SHA1"), "AccessDenied"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_is_refused_before_s3_is_asked(front: Front, case: str) -> None:
    make, code = REFUSED[case]
    answered = front.get(make(front))
    assert answered.status_code == 403
    assert f"<Code>{code}</Code>" in answered.text
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert front.origin.requests == []


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "OPTIONS"])
def test_files_are_read_and_nothing_else(front: Front, method: str) -> None:
    assert front.get(front.signed(), method).status_code == 403
    assert front.origin.requests == []


def test_ranges_and_conditions_are_s3s_to_answer(front: Front) -> None:
    def partly(request: BaseHTTPRequestHandler) -> None:
        answer(
            request, 206, Content_Type="image/png", Content_Length="2", ETag='"x"',
            Content_Range="bytes 2-3/9", X_Amz_Request_Id="1", Set_Cookie="a=b",
        )  # fmt: skip
        request.wfile.write(b"ic")

    front.origin.route(f"/bucket{TYPED}", partly)
    asked = {"Range": "bytes=2-3", "If_Range": '"x"', "If_None_Match": '"y"'}
    answered = front.get(front.signed(), **asked)
    assert (answered.status_code, answered.content) == (206, b"ic")
    assert answered.headers["content-range"] == "bytes 2-3/9"
    assert answered.headers["etag"] == '"x"'
    assert not {"x-amz-request-id", "set-cookie"} & answered.headers.keys()
    assert {name: front.seen()[name.lower().replace("_", "-")] for name in asked} == asked


def test_s3_is_told_the_members_of_the_query_that_the_cache_policy_names(front: Front) -> None:
    front.origin.serve(f"/bucket{TYPED}", b"typed")
    place = f"{PLACE}?versionId=3&response-content-type=image%2Fpng&x-id=GetObject"
    assert front.get(front.signed(place)).content == b"typed"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("https://a.example", True), ("https://b.example", True), ("https://c.example", False)],
)
def test_pages_of_the_configured_origins_may_read(front: Front, origin: str, allowed: bool) -> None:
    answered = front.get(front.signed(), Origin=origin)
    told = answered.headers.get("access-control-allow-origin")
    assert told == (origin if allowed else None)
    assert answered.headers["content-security-policy"].endswith("sandbox")


def test_a_large_file_passes_through_piece_by_piece(front: Front) -> None:
    """No more than a piece of it is held."""
    size = 8 * 1024 * 1024
    front.origin.stream(f"/bucket{TYPED}", b"", size)
    pieces = front.pieces(httpx.URL(front.signed()))
    assert sum(pieces) == size
    assert max(pieces) <= 65_536


def test_a_connection_that_s3_has_closed_meanwhile_is_opened_again(front: Front) -> None:
    """The second request of a connection is what it ends at."""
    begun: set[int] = set()

    def once(request: BaseHTTPRequestHandler) -> None:
        if request.client_address[1] in begun:
            return  # closed without a word
        begun.add(request.client_address[1])
        answer(request, 200, Content_Length="0")
        request.close_connection = False

    front.origin.route(f"/bucket{TYPED}", once)
    assert [front.get(front.signed()).status_code for _ in range(3)] == [200, 200, 200]
    assert len(begun) == 3


def test_s3_away_is_502(tmp_path: Path) -> None:
    with file_server() as gone:
        pass
    with start_blocking_portal() as loop:
        front = Front(tmp_path, gone, loop, A="one")
        assert front.get(front.signed()).status_code == 502
        front.close()


def test_both_keys_are_good_until_one_is_taken_out(tmp_path: Path) -> None:
    with fronted(tmp_path, A="one", B="two") as front:
        old, new = (
            front.signed(name=name, key_id=key_id)
            for name, key_id in zip(("one", "two"), front.ids, strict=True)
        )
        assert [front.get(url).status_code for url in (old, new)] == [200, 200]
        front.deploy(B="two")
        assert [front.get(url).status_code for url in (old, new)] == [403, 200]


def test_a_stack_without_one_has_none() -> None:
    assert distributes(CHOSEN)
    assert not distributes({})
    assert not distributes({"MediaDelivery": "presigned"})
