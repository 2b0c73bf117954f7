"""The status cache, the memory of webhooks, and what a dead Redis costs: nearly nothing."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from devstack.servers import Valkey, free_port
from tests.support.fakes import START
from tests.support.jobs import make_job
from tests.support.scripted_server import says, scripted
from vsl.adapters.redis.client import RedisClient, shared_client
from vsl.adapters.redis.stores import RedisStatusCache, RedisWebhookDeduplication
from vsl.domain.errors import ConfigurationError, StoreUnavailable
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.status import StatusDocument, asked_document, status_document

pytestmark = pytest.mark.integration


@pytest.fixture
def client(redis_url: str) -> Iterator[RedisClient]:
    client = RedisClient(lambda: redis_url)
    yield client
    client.close()


@pytest.fixture
def cache(redis_url: str, client: RedisClient) -> RedisStatusCache:
    return RedisStatusCache(lambda: redis_url, client)


@pytest.fixture
def raw(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as connection:
        yield connection


def document(status: JobStatus) -> StatusDocument:
    ended = START + timedelta(seconds=9) if status.terminal else None
    return status_document(make_job(), status, START, completed_at=ended)


def test_what_is_put_can_be_got(cache: RedisStatusCache) -> None:
    assert cache.get(make_job().job_id) is None
    cache.put(document(JobStatus.SUCCEEDED))
    assert cache.get(make_job().job_id) == document(JobStatus.SUCCEEDED)


@pytest.mark.parametrize(
    ("status", "seconds"), [(JobStatus.PROCESSING, 2), (JobStatus.CANCELED, 3600)]
)
def test_an_end_is_kept_long_and_a_stage_briefly(
    cache: RedisStatusCache, raw: redis.Redis, status: JobStatus, seconds: int
) -> None:
    cache.put(document(status))
    remaining = raw.pttl(f"job:status:{make_job().job_id}")
    assert isinstance(remaining, int)
    assert (seconds - 1) * 1000 < remaining <= seconds * 1000


def test_a_late_reader_does_not_cover_the_end_with_a_stage(cache: RedisStatusCache) -> None:
    cache.put(document(JobStatus.SUCCEEDED))
    cache.put(document(JobStatus.PROCESSING))
    assert cache.get(make_job().job_id) == document(JobStatus.SUCCEEDED)


def test_the_end_takes_the_place_of_a_stage(cache: RedisStatusCache) -> None:
    cache.put(document(JobStatus.PROCESSING))
    cache.put(document(JobStatus.FAILED))
    assert cache.get(make_job().job_id) == document(JobStatus.FAILED)


def test_nothing_is_kept_of_a_deleted_job(cache: RedisStatusCache, raw: redis.Redis) -> None:
    """Not even by a reader that had read it before, or by the end of the job on its way here."""
    cache.put(document(JobStatus.SUCCEEDED))
    cache.close(make_job().job_id)
    for status in (JobStatus.SUCCEEDED, JobStatus.PROCESSING):
        cache.put(document(status))
        assert cache.get(make_job().job_id) is None
    assert 3500 < int(str(raw.ttl(f"job:status:{make_job().job_id}"))) <= 3600


def test_an_entry_that_cannot_be_read_is_a_miss(cache: RedisStatusCache, raw: redis.Redis) -> None:
    raw.set(f"job:status:{make_job().job_id}", "{half a docum")
    assert cache.get(make_job().job_id) is None


def test_a_webhook_is_remembered_for_a_day(
    redis_url: str, client: RedisClient, raw: redis.Redis
) -> None:
    memory = RedisWebhookDeduplication(lambda: redis_url, client)
    assert not memory.seen("rep-1")
    memory.remember("rep-1")
    assert memory.seen("rep-1")
    assert not memory.seen("rep-2")
    assert 86_390 < int(str(raw.ttl("webhook:processed:rep-1"))) <= 86_400


def test_a_redis_that_refuses_is_a_miss_and_then_left_alone() -> None:
    asked: list[int] = []
    port = free_port()
    client = RedisClient(lambda: f"redis://127.0.0.1:{port}/0", rest_seconds=3600)
    cache = RedisStatusCache(lambda: "", client)
    memory = RedisWebhookDeduplication(lambda: "", client)
    cache.put(document(JobStatus.SUCCEEDED))
    assert cache.get(make_job().job_id) is None
    memory.remember("rep-1")
    assert not memory.seen("rep-1")
    with pytest.raises(StoreUnavailable, match="a moment ago"):
        client.run(lambda _: asked.append(1))
    assert asked == []


def test_a_redis_that_accepts_and_says_nothing_costs_two_short_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        client = RedisClient(lambda: url, rest_seconds=3600)
        cache = RedisStatusCache(lambda: url, client)
        for _ in range(20):
            assert cache.get(make_job().job_id) is None
        for _ in range(
            2
        ):  # a timeout may be a connection that died unseen: once more, on a new one
            silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()
        client.close()


def test_redis_back_again_is_used_again_and_a_stale_connection_is_no_failure(
    tmp_path: Path,
) -> None:
    server = Valkey(tmp_path, free_port())
    server.start()
    client = RedisClient(lambda: server.url, rest_seconds=0.2)
    cache = RedisStatusCache(lambda: server.url, client)
    cache.put(document(JobStatus.SUCCEEDED))
    server.stop()
    server.start()
    client.run(lambda connection: connection.ping())  # over a connection the old server closed
    server.stop()
    with pytest.raises(StoreUnavailable, match="did not answer"):
        client.run(lambda connection: connection.ping())
    server.start()
    time.sleep(0.25)
    cache.put(document(JobStatus.FAILED))
    assert cache.get(make_job().job_id) == document(JobStatus.FAILED)
    client.close()
    server.stop()


def test_a_connection_reset_under_a_command_is_tried_once_more() -> None:
    with scripted(says(b""), says(b"+PONG\r\n")) as url:
        client = RedisClient(lambda: url)
        assert client.run(lambda connection: connection.ping())
        client.close()


def test_after_an_error_another_connection_is_made() -> None:
    """The server behind the kept one may be a replica by now, and the name lead elsewhere."""

    def replica(peer: socket.socket) -> None:
        peer.recv(1024)
        peer.sendall(b"-READONLY You can't write against a read only replica.\r\n")
        assert peer.recv(1024) == b"", "the connection was closed"

    with scripted(replica, says(b"+OK\r\n")) as url:
        client = RedisClient(lambda: url, rest_seconds=0)
        with pytest.raises(StoreUnavailable, match="READONLY"):
            client.run(lambda connection: connection.set("key", "value", ex=1))
        client.run(lambda connection: connection.set("key", "value", ex=1))
        client.close()


def test_tls_is_spoken_to_a_rediss_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        port = listener.getsockname()[1]
        client = RedisClient(lambda: f"rediss://user:secret@127.0.0.1:{port}/0")
        with pytest.raises(StoreUnavailable):
            client.run(lambda connection: connection.ping())
        peer, _ = listener.accept()
        with peer:
            assert peer.recv(3)[:2] == b"\x16\x03", "a TLS handshake record"
        client.close()


def test_a_wrong_address_is_named_without_its_secret() -> None:
    client = RedisClient(lambda: "http://user:secret@somewhere")
    with pytest.raises(ConfigurationError) as caught:
        client.run(lambda connection: connection.ping())
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_stores_of_one_process_share_their_client(redis_url: str) -> None:
    def url() -> str:
        return redis_url

    assert shared_client(url) is shared_client(url)


def test_what_was_asked_is_kept_and_sealed_with_the_job(
    cache: RedisStatusCache, raw: redis.Redis
) -> None:
    job_id, asked = make_job().job_id, asked_document({"prompt": "a lighthouse"}, {"order": "17"})
    assert cache.asked(job_id) is None
    cache.keep_asked(job_id, asked)
    assert cache.asked(job_id) == asked
    assert raw.ttl(f"job:asked:{job_id}") > 3000
    cache.close(job_id)
    cache.keep_asked(job_id, asked)  # a reader that had asked PostgreSQL before the deletion
    assert cache.asked(job_id) is None
    assert not [key for key in raw.scan_iter() if "lighthouse" in str(raw.get(key))]
