"""The Redis protocol against a real server, and against ones that break off, dawdle and lie."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.certificates import self_signed
from tests.support.scripted_server import says, scripted
from vsl.adapters import resp
from vsl.adapters.resp import Address, Disconnected, Redis, Refused, TimedOut, Unreachable

pytestmark = pytest.mark.integration


def connected(url: str, answer_seconds: float = 5.0) -> Redis:
    return Redis(Address.of(url), connect_seconds=5.0, answer_seconds=answer_seconds)


@pytest.fixture
def server(redis_url: str) -> Iterator[Redis]:
    client = connected(redis_url)
    yield client
    client.close()


@pytest.fixture
def theirs(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True, protocol=2) as client:
        yield client


def test_commands_say_what_redis_py_says(server: Redis, theirs: redis.Redis) -> None:
    assert server.ping()
    assert server.get("nothing") is None
    assert not server.exists("key")
    server.set("key", "värde\r\n$3\r\n", ex=60)
    assert server.get("key") == theirs.get("key") == "värde\r\n$3\r\n"
    assert server.exists("key")
    assert 55 < int(str(theirs.ttl("key"))) <= 60
    theirs.zadd("set", {"a": 1})
    assert (server.zrem("set", "a"), server.zrem("set", "a")) == (True, False)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=2000))
def test_every_text_comes_back(server: Redis, text: str) -> None:
    server.set("text", text, ex=60)
    assert server.get("text") == text


def test_a_text_of_a_megabyte_comes_back_whole(server: Redis) -> None:
    server.set("much", "x" * 1_000_000, ex=60)
    assert server.get("much") == "x" * 1_000_000


def test_a_script_is_sent_in_full_once(server: Redis, theirs: redis.Redis) -> None:
    theirs.script_flush()
    theirs.config_resetstat()
    source = "return {KEYS[1], ARGV[1], tonumber(ARGV[2]), {false, 'deep'}}"
    for _ in range(2):
        assert server.script(source, ["k"], ["ü", 7]) == ["k", "ü", 7, [None, "deep"]]
    told = theirs.info("commandstats")
    assert told["cmdstat_eval"]["calls"] == 1


def test_a_refusal_leaves_the_connection_in_use(server: Redis, theirs: redis.Redis) -> None:
    server.ping()
    before = int(theirs.info("stats")["total_connections_received"])
    with pytest.raises(Refused, match="wrong number of arguments"):
        server.command("GET")
    with pytest.raises(Refused, match="away"):
        server.script("return redis.error_reply('ERR away')", [], [])
    assert server.ping()
    assert int(theirs.info("stats")["total_connections_received"]) == before


def test_another_database_is_another(redis_url: str, server: Redis) -> None:
    server.set("key", "first", ex=60)
    other = connected(redis_url.removesuffix("/0") + "/1")
    assert other.get("key") is None
    other.close()


def test_an_answer_may_come_in_pieces_and_hold_an_error() -> None:
    with scripted(says(b"*3\r\n$2\r", b"\nab\r\n", b":", b"7\r\n$-1\r\n")) as url:
        client = connected(url)
        assert client.command("ANY") == ["ab", 7, None]
        client.close()
    with scripted(says(b"*2\r\n-ERR inside\r\n+OK\r\n:1\r\n")) as url:
        client = connected(url)
        with pytest.raises(Refused, match="inside"):
            client.command("ANY")
        client.close()


@pytest.mark.parametrize(
    "answer",
    [b"", b"$5\r\nab", b"$5\r\nabcde", b"*2\r\n:1\r\n", b"+OK", b"HTTP/1.1 200\r\n", b"$x\r\n"],
)
def test_an_answer_that_ends_early_is_a_broken_connection(answer: bytes) -> None:
    with scripted(says(answer), says(b"+PONG\r\n")) as url:
        client = connected(url)
        with pytest.raises(Disconnected):
            client.command("ANY")
        assert client.ping(), "over another connection"
        client.close()


def test_a_late_answer_is_nobodys() -> None:
    asked_again = threading.Event()

    def late(peer: socket.socket) -> None:
        peer.recv(1024)
        assert asked_again.wait(5)
        peer.sendall(b"$4\r\nlate\r\n")

    def prompt(peer: socket.socket) -> None:
        peer.recv(1024)
        peer.sendall(b"$3\r\nown\r\n")

    with scripted(late, prompt) as url:
        client = connected(url, answer_seconds=0.1)
        with pytest.raises(TimedOut):
            client.get("first")
        asked_again.set()
        assert client.get("second") == "own"
        client.close()


def test_an_interrupted_opening_leaves_no_answer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of AUTH would be taken for the answer of the next command."""
    ask = resp._Wire.ask

    def interrupted(wire: Any, parts: Any) -> Any:
        monkeypatch.setattr(resp._Wire, "ask", ask)
        raise KeyboardInterrupt

    def answers(peer: socket.socket) -> None:
        for answer in (b"+OK\r\n", b"+PONG\r\n"):
            peer.recv(1024)
            peer.sendall(answer)

    with scripted(answers_nothing, answers) as url:
        client = connected(url.replace("redis://", "redis://:secret@"))
        monkeypatch.setattr(resp._Wire, "ask", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.ping()
        assert client.ping()
        client.close()


def answers_nothing(peer: socket.socket) -> None:
    assert peer.recv(1024) == b"", "the connection was closed"


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable):
        connected(f"redis://127.0.0.1:{port}").ping()


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_with_a_certificate_that_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = self_signed(tmp_path, loopback)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []

    def encrypted(peer: socket.socket) -> None:
        try:
            with context.wrap_socket(peer, server_side=True) as inside:
                for answer in (b"+OK\r\n", b"+PONG\r\n"):
                    heard.append(inside.recv(1024))
                    inside.sendall(answer)
        except ssl.SSLError:
            heard.append(b"no handshake")

    with scripted(encrypted) as url:
        client = connected(url.replace("redis://", "rediss://user:p%40ss@"))
        if trusted:
            assert client.ping()
            assert heard[0].endswith(b"$4\r\nAUTH\r\n$4\r\nuser\r\n$4\r\np@ss\r\n")
        else:
            with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
                client.ping()
        client.close()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://here", Address("here", 6379, False, ())),
        ("rediss://here:7000/2", Address("here", 7000, True, (), 2)),
        ("redis://:p%2Fw@here/", Address("here", 6379, False, ("p/w",))),
        ("redis://me:pw@[::1]:1", Address("::1", 1, False, ("me", "pw"))),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert Address.of(url) == address


@pytest.mark.parametrize(
    "url",
    ["", "http://here", "redis:///0", "redis://here/first", "redis://here:x", "redis://h?ssl=no"],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are of no use to anybody
        Address.of(url)
    assert "secret" not in repr(Address.of("redis://me:secret@here"))
