"""Downloads over a scripted network: what is asked, what is refused, how each end is named.

The addresses come from a resolver of the test's own, so that names of the provider's resolve to
whatever the test wants without a look-up.
"""

import base64
import gzip
import random
import socket
import time
import zlib
from collections.abc import Callable
from typing import Any

import httpcore
import pytest

from tests.support.scripted_network import NO_ROOTS, PUBLIC, ScriptedNetwork, scripted_resolver
from vsl.adapters.http.download import MAX_REDIRECTS, Downloads
from vsl.domain.errors import DownloadFailed, DownloadRefused, OutputExpired, OutputInvalid

ORIGINS = ("https://replicate.delivery", "https://*.replicate.delivery", "http://plain.test")
URL = "https://replicate.delivery/xezq/key/out%200.png"


def ok(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def downloads(network: httpcore.NetworkBackend, max_bytes: int = 1000) -> Downloads:
    return Downloads(ORIGINS, max_bytes=max_bytes, backend=network, ssl_context=NO_ROOTS)


def fetch(network: httpcore.NetworkBackend, url: str = URL, max_bytes: int = 1000) -> bytes:
    with downloads(network, max_bytes).open(url) as download:
        return b"".join(bytes(chunk) for chunk in download.chunks)


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return scripted_resolver(monkeypatch)


def test_a_file_arrives_with_what_its_server_says_of_it() -> None:
    network = ScriptedNetwork(ok(b"content", "Content-Type: Image/PNG; charset=x"))
    with downloads(network).open(URL) as download:
        assert download.file_name == "out 0.png"
        assert download.declared_type == "image/png"
        assert download.declared_length == 7
        assert b"".join(download.chunks) == b"content"
    assert network.connected == [(PUBLIC, 443)]


def test_no_token_and_no_cookie_is_sent_and_the_host_is_named() -> None:
    network = ScriptedNetwork(ok(b"content"))
    fetch(network)
    head = network.sent.decode().lower()
    assert "host: replicate.delivery\r\n" in head
    assert "accept-encoding: identity\r\n" in head
    assert "authorization" not in head
    assert "cookie" not in head


def test_a_chunked_answer_has_no_length_and_arrives() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with downloads(ScriptedNetwork(answer)).open(URL) as download:
        assert download.declared_length is None
        assert b"".join(download.chunks) == b"abcde"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_file_that_is_gone(status: int) -> None:
    with pytest.raises(OutputExpired) as caught:
        fetch(ScriptedNetwork(f"HTTP/1.1 {status} Gone\r\nContent-Length: 0\r\n\r\n".encode()))
    assert caught.value.details == {"httpStatus": status}


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 408, 429, 500, 502, 503])
def test_any_other_status_is_worth_another_try(status: int) -> None:
    with pytest.raises(DownloadFailed):
        fetch(ScriptedNetwork(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ok(b"cont", length=7), id="shorter than declared"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="broken head"),
        pytest.param(b"", id="closed at once"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="no HTTP"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", id="broken chunk"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 9\r\n\r\nabc",
            id="two lengths",
        ),
    ],
)
def test_a_broken_answer_is_worth_another_try(answer: bytes) -> None:
    with pytest.raises(DownloadFailed):
        fetch(ScriptedNetwork(answer))


def test_bytes_beyond_the_declared_length_are_not_taken() -> None:
    assert fetch(ScriptedNetwork(ok(b"content", length=4))) == b"cont"


def test_an_empty_file_is_no_output() -> None:
    with pytest.raises(OutputInvalid, match="empty"):
        fetch(ScriptedNetwork(ok(b"")))


def test_a_declared_size_over_the_limit_ends_it_before_the_body() -> None:
    network = ScriptedNetwork(ok(b"", length=1001))
    with (
        pytest.raises(OutputInvalid, match="larger"),
        downloads(network).open(URL),
    ):
        pytest.fail("the download was opened")


def test_a_size_that_was_not_declared_is_counted() -> None:
    piece = b"a\r\n0123456789\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(OutputInvalid, match="larger"):
        fetch(ScriptedNetwork([answer] + [piece] * 200))
    assert len(fetch(ScriptedNetwork([answer] + [piece] * 100 + [b"0\r\n\r\n"]))) == 1000


@pytest.mark.parametrize(
    "said",
    ["", "identity", "Identity", "aws-chunked", "AWS-Chunked, identity", ",", "none", "utf-8"],
)
def test_an_encoding_that_says_nothing_changes_nothing(said: str) -> None:
    network = ScriptedNetwork(ok(b"content", f"Content-Encoding: {said}"))
    with downloads(network).open(URL) as download:
        assert download.declared_length == 7
        assert b"".join(download.chunks) == b"content"


@pytest.mark.parametrize(
    ("said", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("aws-chunked,gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:1000]) + gzip.compress(body[1000:])),
        ("gzip", lambda body: gzip.compress(body) + bytes(100)),
        ("deflate", zlib.compress),
    ],
)
def test_a_file_that_arrives_compressed_is_unpacked(
    said: str, pack: Callable[[bytes], bytes]
) -> None:
    content = random.Random(1).randbytes(700_000) + bytes(300_000)
    answer = ok(pack(content), f"Content-Encoding: {said}")
    cut = [answer[at : at + 65_537] for at in range(0, len(answer), 65_537)]
    with downloads(ScriptedNetwork(cut), 1_000_000).open(URL) as download:
        assert download.declared_length is None
        assert b"".join(bytes(chunk) for chunk in download.chunks) == content


@pytest.mark.parametrize("said", ["gzip", "deflate", "br", "zstd"])
def test_what_cannot_be_unpacked_is_taken_as_it_is(said: str) -> None:
    """The label may be wrong, and a file that was paid for is worth more than its label."""
    assert fetch(ScriptedNetwork(ok(b"\x89PNG", f"Content-Encoding: {said}"))) == b"\x89PNG"


def test_a_compressed_file_that_breaks_off_is_worth_another_try() -> None:
    packed = gzip.compress(random.Random(1).randbytes(900))
    for broken in (packed[:-400], packed[:500] + bytes(100) + packed[600:]):
        with pytest.raises(DownloadFailed):
            fetch(ScriptedNetwork(ok(broken, "Content-Encoding: gzip")))


def test_a_compressed_bomb_is_bounded_by_what_comes_out() -> None:
    packed = gzip.compress(bytes(50_000_000), 9)
    sizes: list[int] = []
    with (
        downloads(ScriptedNetwork(ok(packed, "Content-Encoding: gzip")), 2_000_000).open(
            URL
        ) as download,
        pytest.raises(OutputInvalid, match="larger"),
    ):
        sizes.extend(len(chunk) for chunk in download.chunks)
    assert max(sizes) <= 1024**2
    assert sum(sizes) <= 2_000_000


def test_redirects_within_the_list_are_followed() -> None:
    network = ScriptedNetwork(
        redirect("/other/a.png"),
        redirect("https://cdn.replicate.delivery/b.png", 307),
        ok(b"content"),
    )
    with downloads(network).open(URL) as download:
        assert download.file_name == "b.png"
        assert b"".join(download.chunks) == b"content"


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/x.png",
        "http://replicate.delivery/x.png",
        "http://127.0.0.1/x.png",
        "http://169.254.169.254/latest/meta-data/iam/",
        "//evil.test/x.png",
        "file:///etc/passwd",
        "https://[",
        "https://a..b/x.png",
        "https://evil.test\\@replicate.delivery/x.png",
        "https://evil.test /x.png",
    ],
)
def test_a_redirect_away_from_the_list_is_refused(location: str) -> None:
    network = ScriptedNetwork(redirect(location))
    with pytest.raises(DownloadRefused):
        fetch(network)
    assert len(network.connected) == 1


@pytest.mark.parametrize(
    ("url", "target", "name"),
    [
        ("https://replicate.delivery/k/my file.png", "/k/my%20file.png", "my file.png"),
        ("https://replicate.delivery/k/猫.png?a=ü", "/k/%E7%8C%AB.png?a=%C3%BC", "猫.png"),
        (" https://replicate.delivery/k/a.png\n", "/k/a.png", "a.png"),
        ("https://replicate.delivery/k/a\\b\x00.png", "/k/a%5Cb%00.png", "a\\b\x00.png"),
        ("https://replicate.delivery/k/half\ud83d.png", "/k/half%ED%A0%BD.png", None),
        ("HTTPS://Replicate.Delivery/k/A.png#part", "/k/A.png", "A.png"),
        ("Http://Plain.Test/a.png", "/a.png", "a.png"),
    ],
)
def test_an_address_is_taken_as_what_it_means(url: str, target: str, name: str | None) -> None:
    network = ScriptedNetwork(ok(b"content"))
    with downloads(network).open(url) as download:
        assert b"".join(download.chunks) == b"content"
        assert name is None or download.file_name == name
    assert network.sent.startswith(f"GET {target} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"https://replicate.delivery/my file.png", b"/my%20file.png"),
        ("https://replicate.delivery/猫.png".encode(), b"/%E7%8C%AB.png"),
        ("https://replicate.delivery/ü.png".encode("latin-1"), b"/%FC.png"),
        (b"HTTPS://REPLICATE.DELIVERY/a.png", b"/a.png"),
        ("neu/für.png".encode(), b"/xezq/key/neu/f%C3%BCr.png"),
        (b"?v=1 2", b"/xezq/key/out%200.png?v=1%202"),
        (b"/a.png#part", b"/a.png"),
    ],
)
def test_a_redirect_is_taken_as_what_it_means(location: bytes, target: bytes) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    network = ScriptedNetwork(head, ok(b"content"))
    assert fetch(network) == b"content"
    assert b"GET " + target + b" HTTP/1.1\r\n" in network.sent


def test_redirects_are_counted() -> None:
    network = ScriptedNetwork(*[redirect(URL)] * (MAX_REDIRECTS + 1), ok(b"content"))
    with pytest.raises(DownloadRefused, match="redirects"):
        fetch(network)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fe80::1"])
def test_a_listed_name_that_leads_inside_is_refused(
    address: str, resolver: Callable[..., None]
) -> None:
    network = ScriptedNetwork(ok(b"secret"))
    resolver([address])
    with pytest.raises(DownloadRefused):
        fetch(network)
    assert network.connected == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    resolver: Callable[..., None],
) -> None:
    network = ScriptedNetwork(ok(b"secret"))
    resolver([PUBLIC, "10.0.0.7"])
    with pytest.raises(DownloadRefused):
        fetch(network)
    assert network.connected == []


def test_the_connection_goes_to_the_address_that_was_checked(
    resolver: Callable[..., None],
) -> None:
    """DNS rebinding: the second answer is private, but nobody asks a second time."""
    network = ScriptedNetwork(ok(b"content"))
    resolver([PUBLIC], ["127.0.0.1"])
    assert fetch(network) == b"content"
    assert network.connected == [(PUBLIC, 443)]


def test_a_name_that_turns_private_between_redirects_is_refused(
    resolver: Callable[..., None],
) -> None:
    network = ScriptedNetwork(redirect(URL), ok(b"secret"))
    resolver([PUBLIC], ["127.0.0.1"])
    with pytest.raises(DownloadRefused):
        fetch(network)
    assert network.connected == [(PUBLIC, 443)]


def test_the_next_address_is_tried_when_one_does_not_answer(
    resolver: Callable[..., None],
) -> None:
    class HalfDown(ScriptedNetwork):
        def connect_tcp(self, host: str, port: int, *a: Any, **k: Any) -> httpcore.NetworkStream:
            if host == PUBLIC:
                raise httpcore.ConnectError("unreachable")
            return super().connect_tcp(host, port, *a, **k)

    resolver([PUBLIC, "93.184.215.15"])
    assert fetch(HalfDown(ok(b"content"))) == b"content"
    resolver([PUBLIC])
    with pytest.raises(DownloadFailed):
        fetch(HalfDown(ok(b"content")))


def test_a_name_without_an_address_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadFailed):
        fetch(ScriptedNetwork())


@pytest.mark.parametrize("host", ["a..replicate.delivery", "a" * 64 + ".replicate.delivery"])
def test_a_host_that_no_resolver_can_be_asked_for_is_refused(host: str) -> None:
    with pytest.raises(DownloadRefused):
        fetch(ScriptedNetwork(), f"https://{host}/a.png")


def test_a_name_that_the_resolver_chokes_on_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def choke(*_: Any, **__: Any) -> None:
        raise UnicodeError("label empty or too long")

    monkeypatch.setattr(socket, "getaddrinfo", choke)
    with pytest.raises(DownloadFailed):
        fetch(ScriptedNetwork())


def test_drips_do_not_outlive_the_time_for_the_whole_download(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each read comes in time, all together they do not."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    class Dripping(httpcore.MockStream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            assert timeout is not None
            clock[0] += 9
            return b"x"

    class DrippingNetwork(httpcore.MockBackend):
        def __init__(self) -> None:
            """Nothing to prepare."""

        def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
            return Dripping([])

    dripping = Downloads(
        ORIGINS, max_bytes=1000, total_seconds=60, read_seconds=10, backend=DrippingNetwork()
    )
    with pytest.raises(DownloadFailed, match="too long"), dripping.open("http://plain.test/a"):
        pytest.fail("the download was opened")
    assert clock[0] < 70


def test_drips_of_a_body_with_a_length_end_with_the_time_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    class Dripping(httpcore.MockStream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            clock[0] += 9
            return super().read(max_bytes, timeout) or b"x"

    class DrippingNetwork(httpcore.MockBackend):
        def __init__(self) -> None:
            """Nothing to prepare."""

        def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
            return Dripping([ok(b"", length=1000)])

    dripping = Downloads(
        ORIGINS, max_bytes=1000, total_seconds=60, read_seconds=10, backend=DrippingNetwork()
    )
    with (
        dripping.open("http://plain.test/a") as download,
        pytest.raises(DownloadFailed, match="too long"),
    ):
        list(download.chunks)
    assert 60 <= clock[0] < 70


def test_a_body_arrives_whole_however_the_network_cuts_it() -> None:
    content = bytes(range(256)) * 4096  # longer than the buffer it is read into
    answer = ok(content)
    cut = [answer[at : at + 100_003] for at in range(0, len(answer), 100_003)]
    assert fetch(ScriptedNetwork(cut), max_bytes=len(content)) == content
    with pytest.raises(DownloadFailed, match="shorter"):
        fetch(ScriptedNetwork(cut[:-1]), max_bytes=len(content))


def test_a_data_url_is_decoded() -> None:
    url = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
    with Downloads(ORIGINS, max_bytes=1000).open(url) as download:
        assert (download.file_name, download.declared_type) == ("", "image/png")
        assert (download.declared_length, b"".join(download.chunks)) == (4, b"\x89PNG")
    with Downloads(ORIGINS, max_bytes=1000).open("data:,a%20b") as download:
        assert b"".join(download.chunks) == b"a b"


@pytest.mark.parametrize(
    "payload",
    [
        "iVBO\r\nRw0K\nGgo=",
        " iVBO Rw0K\tGgo= ",
        "iVBORw0KGgo",
        "iVBORw0KGgo%3D",
        "iVBO%0ARw0K%0AGgo=",
        "iVBORw0KGgo=\n",
        "iVBORw0KGgo==",
    ],
)
def test_base64_is_read_however_it_is_wrapped(payload: str) -> None:
    for header in ("data:image/png;base64,", "\n DATA:image/png; Base64,"):
        assert fetch(ScriptedNetwork(), header + payload) == b"\x89PNG\r\n\x1a\n"


def test_base64_of_the_url_alphabet_is_read() -> None:
    assert fetch(ScriptedNetwork(), "data:;base64,-_-_") == b"\xfb\xff\xbf"


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,***", "data:image/png", "data:image/png;base64,", "data:,"]
)
def test_a_malformed_or_empty_data_url_is_no_output(url: str) -> None:
    with pytest.raises(OutputInvalid):
        fetch(ScriptedNetwork(), url)


def test_a_data_url_is_bounded_too() -> None:
    with pytest.raises(OutputInvalid, match="larger"):
        fetch(ScriptedNetwork(), "data:;base64," + base64.b64encode(bytes(1001)).decode())
