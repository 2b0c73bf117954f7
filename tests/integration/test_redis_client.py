"""Our stores with redis-py: servers that break off, are slow or lie, TLS, and a user with few rights."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from redis.connection import Connection

from devstack.servers import Valkey
from tests.support.certificates import self_signed
from tests.support.fakes import START
from tests.support.jobs import make_job
from tests.support.scripted_server import says, scripted
from tests.support.template import REPOSITORY
from vsl.adapters.redis.client import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    RedisClient,
    digest,
    run_script,
)
from vsl.adapters.redis.rate_limits import RedisRateLimits
from vsl.adapters.redis.slots import RedisSlots
from vsl.adapters.redis.stores import RedisStatusCache, RedisWebhookDeduplication
from vsl.adapters.redis.wait_places import RedisWaitPlaces
from vsl.domain.api.limits import Limits, Verdict
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.flow import Flow
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import StatusDocument, status_document

pytestmark = pytest.mark.integration

SLOW = "?socket_timeout=5&socket_connect_timeout=5"


@pytest.fixture
def connected() -> Iterator[Callable[[str], RedisClient]]:
    made: list[RedisClient] = []

    def make(url: str) -> RedisClient:
        made.append(RedisClient(lambda: url, rest_seconds=0))
        return made[-1]

    yield make
    for client in made:
        client.close()


def ping(client: RedisClient) -> bool:
    return client.run(lambda server: bool(server.ping()))


def document() -> StatusDocument:
    return status_document(
        make_job(), JobStatus.SUCCEEDED, START, completed_at=START + timedelta(seconds=9)
    )


def use_all_stores(client: RedisClient) -> None:
    """Every command that our functions say, once at least."""
    url, job, now = str, make_job(), START
    limits = RedisRateLimits(url, client)
    known = Limits(5, 5)
    for verdict, at in ((Verdict.ADMITTED, now), (Verdict.AGAIN, now + timedelta(seconds=1))):
        admission, _ = limits.admit(job, at, known, lambda: known, list)
        assert admission.verdict is verdict
    limits.release(job.user_id, job.job_id)
    limits.withdraw(job.user_id, job.job_id)
    admission, _ = limits.admit(job, now, known, lambda: known, list)
    assert admission.verdict is Verdict.ADMITTED, "withdrawn before"
    places = RedisWaitPlaces(url, 1, 1, client)
    until = now + timedelta(seconds=25)
    assert places.take("user-1", "one", now, until)
    assert not places.take("user-1", "two", now, until)
    places.give_back("user-1", "one")
    assert places.take("user-1", "two", now, until)
    cache = RedisStatusCache(url, client)
    cache.put(document())
    assert cache.get(job.job_id) == document()
    cache.close(job.job_id)
    assert cache.get(job.job_id) is None
    assert ping(client)
    memory = RedisWebhookDeduplication(url, client)
    assert not memory.seen("rep-1")
    memory.remember("rep-1")
    assert memory.seen("rep-1")
    use_slots(RedisSlots(url, 10, client))


def use_slots(slots: RedisSlots) -> None:
    """One slot every six seconds. Without Redis every job would have one, so that is no sign of rights."""
    flow, now = Flow("interactive:user-1"), START
    assert slots.reserve("first", flow, now).granted
    assert not slots.reserve("second", flow, now).granted
    assert slots.waiting(now) == 1
    later = now + timedelta(seconds=6)
    assert list(slots.next(later, later).job_ids) == ["second"]
    slots.throttled("second", later, 30)
    outlook = slots.outlook(flow, later)
    assert outlook is not None
    assert outlook.place.starts_in == 30
    slots.give_back("second", later)


@pytest.mark.parametrize("options", ["", "?protocol=3&client_name=vsl&health_check_interval=1"])
def test_every_store_over_either_protocol(
    redis_url: str, connected: Callable[[str], RedisClient], options: str
) -> None:
    use_all_stores(connected(redis_url + options))


def test_a_user_with_the_rights_that_the_guide_gives(
    valkey: Valkey, redis_url: str, connected: Callable[[str], RedisClient]
) -> None:
    """Exactly those: without any of them a store of ours is refused."""
    guide = (REPOSITORY / "docs" / "deploy.md").read_text()
    (line,) = (it for it in guide.splitlines() if it.startswith("ACL SETUSER functions "))
    _, _, _, *rules = line.replace("PASSWORD", "s3cr%t/").split()  # pragma: allowlist secret
    url = redis_url.replace("redis://", "redis://functions:s3cr%25t%2F@")
    with redis.Redis.from_url(redis_url) as admin:
        for left_out in (None, *(rule for rule in rules if rule[0] in "+~")):
            admin.flushall()
            admin.script_flush()
            admin.execute_command("ACL DELUSER", "functions")
            admin.execute_command("ACL SETUSER", "functions", *(r for r in rules if r != left_out))
            client = connected(url)
            if left_out is None:
                use_all_stores(client)
            elif left_out not in CLUSTER_RIGHTS:
                with pytest.raises((AssertionError, StoreUnavailable)):
                    use_all_stores(client)
        admin.execute_command("ACL DELUSER", "functions")


CLUSTER_RIGHTS = {"+command", "+cluster|slots"}


def test_a_text_comes_back_as_it_was(
    redis_url: str, connected: Callable[[str], RedisClient]
) -> None:
    client = connected(redis_url)
    for text in ("värde\r\n$3\r\n", "", "\x00", "x" * 1_000_000):
        client.run(partial(redis.Redis.set, name="text", value=text, ex=60))
        assert client.run(lambda server: server.get("text")) == text


def test_a_script_is_sent_in_full_once(
    redis_url: str, connected: Callable[[str], RedisClient]
) -> None:
    client, source = connected(redis_url), "return {KEYS[1], ARGV[1], tonumber(ARGV[2])}"
    with redis.Redis.from_url(redis_url) as admin:
        admin.script_flush()
        admin.config_resetstat()
        for _ in range(2):
            answer = client.run(lambda server: run_script(server, source, ["k"], ["ü", 7]))
            assert answer == ["k", "ü", 7]
        calls: Any = admin.info("commandstats")
        assert calls["cmdstat_eval"]["calls"] == 1
        assert admin.script_exists(digest(source)) == [True]


def test_another_database_is_another(
    redis_url: str, connected: Callable[[str], RedisClient]
) -> None:
    connected(redis_url).run(lambda server: server.set("key", "first", ex=60))
    for other in (redis_url.removesuffix("/0") + "/1", redis_url.removesuffix("/0") + "?db=1"):
        assert connected(other).run(lambda server: server.get("key")) is None


def test_one_connection_serves_a_process(
    redis_url: str, connected: Callable[[str], RedisClient]
) -> None:
    client = connected(redis_url)
    with redis.Redis.from_url(redis_url) as admin:
        counted: Any = admin.info("stats")
        before = counted["total_connections_received"]
        for _ in range(3):
            use_all_stores(client)
            admin.flushall()
        counted = admin.info("stats")
        assert counted["total_connections_received"] == before + 1


def test_an_answer_may_come_in_pieces(connected: Callable[[str], RedisClient]) -> None:
    with scripted(says(b"$6\r", b"\nab", b"\r\ncd", b"\r\n")) as url:
        assert connected(url + SLOW).run(lambda server: server.get("any")) == "ab\r\ncd"


@pytest.mark.parametrize("answer", [b"", b"$5\r\nab", b"$5\r\nabcde", b"*2\r\n:1\r\n", b"+OK"])
def test_an_answer_that_ends_early_is_asked_for_again(
    answer: bytes, connected: Callable[[str], RedisClient]
) -> None:
    with scripted(says(answer), says(b"$2\r\nok\r\n")) as url:
        assert connected(url + SLOW).run(lambda server: server.get("any")) == "ok"


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200\r\n", b"$x\r\n", b"*x\r\n", b"$2\r\n\xff\xff\r\n"]
)
def test_a_server_that_lies_is_away_and_asked_anew(
    answer: bytes, connected: Callable[[str], RedisClient]
) -> None:
    with scripted(says(answer), says(b"+PONG\r\n")) as url:
        client = connected(url + SLOW)
        with pytest.raises(StoreUnavailable):
            client.run(lambda server: server.get("any"))
        assert ping(client), "over another connection"


@pytest.mark.parametrize(
    "answer", [b"+OK\r\n", b"*1\r\n:3\r\n", b"%1\r\n+proto\r\n:2\r\n", b"!x\r\n"]
)
def test_a_server_that_lies_in_its_greeting_is_away(
    answer: bytes, connected: Callable[[str], RedisClient]
) -> None:
    with scripted(says(answer), lambda _: None) as url:
        with pytest.raises(StoreUnavailable):
            ping(connected(url + SLOW + "&protocol=3"))
        with suppress(OSError), socket.create_connection(place_of(url)):
            pass  # the second turn, where a lie is not asked for again


def place_of(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rpartition(":")[2].partition("/")[0])


def test_a_late_answer_is_nobodys(connected: Callable[[str], RedisClient]) -> None:
    asked_again = threading.Event()

    def late(peer: socket.socket) -> None:
        with peer, suppress(OSError):  # it may be closed by then
            peer.recv(1024)
            asked_again.wait()
            peer.sendall(b"$4\r\nlate\r\n")

    def prompt(peer: socket.socket) -> None:
        peer.recv(1024)
        asked_again.set()
        peer.sendall(b"$3\r\nown\r\n")

    def serve_both(peer: socket.socket) -> None:
        """The first connection waits while the second is served."""
        waiting = threading.Thread(target=late, args=(peer.dup(),))
        waiting.start()
        threads.append(waiting)

    threads: list[threading.Thread] = []
    with scripted(serve_both, prompt) as url:
        client = connected(url + "?socket_timeout=0.5")
        assert client.run(lambda server: server.get("first")) == "own"
        threads[0].join()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float | None]]:
    """Each connection made: its limits for connecting and for an answer, in seconds."""
    made: list[tuple[float, float | None]] = []
    connect: Any = Connection._connect

    def watched(self: Any) -> socket.socket:
        connection: socket.socket = connect(self)
        made.append((self.socket_connect_timeout, connection.gettimeout()))
        return connection

    monkeypatch.setattr(Connection, "_connect", watched)
    return made


def test_a_server_that_says_nothing_is_asked_twice_and_no_more(
    connected: Callable[[str], RedisClient], opened: list[object]
) -> None:
    with (
        scripted(says_nothing, says_nothing) as url,
        pytest.raises(StoreUnavailable, match="Timeout reading"),
    ):
        ping(connected(url + "?socket_timeout=0.1"))
    assert len(opened) == 2


def says_nothing(peer: socket.socket) -> None:
    while peer.recv(1024):
        pass


@pytest.mark.parametrize("options", ["", "?socket_timeout=0.25&socket_connect_timeout=0.125"])
def test_every_call_has_its_time(
    options: str, connected: Callable[[str], RedisClient], opened: list[object]
) -> None:
    with scripted(says(b"+PONG\r\n")) as url:
        assert ping(connected(url + options))
    assert opened == [(0.125, 0.25) if options else (CONNECT_SECONDS, ANSWER_SECONDS)]


def test_an_interrupted_opening_leaves_no_answer_behind(
    monkeypatch: pytest.MonkeyPatch, connected: Callable[[str], RedisClient]
) -> None:
    """That of AUTH would be taken for the answer of the next command."""
    send: Any = Connection.send_command

    def interrupted(self: Any, *parts: Any, **more: Any) -> None:
        send(self, *parts, **more)
        monkeypatch.setattr(Connection, "send_command", send)
        raise KeyboardInterrupt

    def answers(peer: socket.socket) -> None:
        for answer in (b"+OK\r\n", b"+PONG\r\n"):
            peer.recv(1024)
            peer.sendall(answer)

    with scripted(says(b"+OK\r\n"), answers) as url:
        client = connected(url.replace("redis://", "redis://:secret@") + SLOW)
        monkeypatch.setattr(Connection, "send_command", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ping(client)
        assert ping(client)


def test_a_refused_password_is_said_twice_and_no_more(
    connected: Callable[[str], RedisClient], opened: list[object]
) -> None:
    refuses = says(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n")
    with (
        scripted(refuses, refuses) as url,
        pytest.raises(StoreUnavailable, match="WRONGPASS invalid username"),
    ):
        ping(connected(url.replace("redis://", "redis://me:secret@") + SLOW))
    assert len(opened) == 2


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


def behind_tls(server: Valkey, certificate: Path) -> Callable[[socket.socket], None]:
    """A connection to the server, which speaks no TLS itself; it ends with the client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def turn(peer: socket.socket) -> None:
        try:
            with (
                context.wrap_socket(peer, server_side=True) as outside,
                socket.create_connection(("127.0.0.1", server.port)) as inside,
            ):
                while asked := outside.recv(65_536):
                    inside.sendall(asked)
                    outside.sendall(inside.recv(65_536))
        except OSError:
            pass  # the client trusts another, and says so or just goes

    return turn


@pytest.mark.parametrize("trust", ["SSL_CERT_FILE", "ssl_ca_certs"])
def test_tls_with_a_certificate_that_is_trusted(
    valkey: Valkey,
    redis_url: str,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    connected: Callable[[str], RedisClient],
    trust: str,
) -> None:
    options = ""
    if trust == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    else:
        options = f"?ssl_ca_certs={certificate}"
    with scripted(behind_tls(valkey, certificate)) as url:
        client = connected(url.replace("redis://", "rediss://") + options)
        use_all_stores(client)
        client.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_tls_with_one_that_is_not_or_is_anothers(
    valkey: Valkey,
    redis_url: str,
    certificate: Path,
    connected: Callable[[str], RedisClient],
    name: str,
) -> None:
    """Nobody has signed it; or it is trusted, and of another name."""
    options = "" if name == "127.0.0.1" else f"?ssl_ca_certs={certificate}"
    turn = behind_tls(valkey, certificate)
    with scripted(turn, turn, turn) as url:
        client = connected(url.replace("redis://127.0.0.1", f"rediss://{name}") + options)
        with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            ping(client)
        with socket.create_connection(place_of(url)):
            pass  # the third turn
