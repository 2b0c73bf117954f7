"""Passwords change on real servers while a process runs: it goes on with the next request."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from devstack.servers import Postgres, Valkey, free_port
from tests.support.memory_ssm import MemorySsm
from vsl.adapters.aws import clients
from vsl.adapters.aws import parameters as adapter
from vsl.adapters.aws.parameters import RENEW_SECONDS, Parameters
from vsl.adapters.postgres.connection import Connection, PostgresConnection
from vsl.adapters.redis.client import RedisClient
from vsl.domain.errors import StoreUnavailable

pytestmark = pytest.mark.integration


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What stands in SSM; the bound of re-reading is none here."""
    ssm = MemorySsm()
    monkeypatch.setattr(clients, "client", {"ssm": ssm}.__getitem__)
    monkeypatch.setattr(adapter, "RENEW_SECONDS", 0)
    return ssm.values


@pytest.fixture
def set_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Gives the role `rotating` another password on a server that asks for it, and ends its sessions;
    returns the URL."""
    folder = tmp_path_factory.mktemp("rotated")
    with Postgres(folder / "data", free_port()) as server:
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text("host all rotating 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("CREATE ROLE rotating LOGIN")

            def change(password: str) -> str:
                admin.execute(f"ALTER ROLE rotating PASSWORD '{password}'")
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                    " WHERE usename = 'rotating'"
                )
                host, _, rest = server.url.partition("@")[2].partition("/")
                return f"postgresql://rotating:{password}@{host}/{rest}"

            yield change


def user(connection: Connection) -> str:
    row = connection.execute("SELECT current_user").fetchone()
    assert row is not None
    return str(row[0])


def test_postgresql(ssm: dict[str, str], set_password: Callable[[str], str]) -> None:
    ssm["database-url"] = set_password("first")
    connection = PostgresConnection(Parameters("/vsl/test/").secret("database-url"))
    assert connection.run(user) == "rotating"
    second = set_password("second")
    with pytest.raises(StoreUnavailable, match="password authentication failed"):
        connection.run(user)
    ssm["database-url"] = second
    connection._rest_until = 0
    assert connection.run(user) == "rotating"
    connection.close()


def test_a_session_outlives_the_password_it_began_with(
    ssm: dict[str, str], set_password: Callable[[str], str]
) -> None:
    ssm["database-url"] = set_password("first")
    connection = PostgresConnection(Parameters("/vsl/test/").secret("database-url"))
    connection.run(user)
    ssm["database-url"] = set_password("second")
    assert connection.run(user) == "rotating", (
        "the broken session is replaced with the new password"
    )
    connection.close()


@pytest.fixture
def locked_valkey(valkey: Valkey) -> Iterator[redis.Redis]:
    """An administrator's connection; the password is gone afterwards."""
    with redis.Redis.from_url(valkey.url) as admin:
        admin.config_set("requirepass", "first")
        admin.execute_command("AUTH", "first")
        yield admin
        admin.config_set("requirepass", "")


def test_redis(ssm: dict[str, str], valkey: Valkey, locked_valkey: redis.Redis) -> None:
    def url(password: str) -> str:
        return valkey.url.replace("redis://", f"redis://:{password}@")

    ssm["redis-url"] = url("first")
    client = RedisClient(Parameters("/vsl/test/").secret("redis-url"), rest_seconds=0)
    assert client.run(lambda server: server.ping())
    locked_valkey.config_set("requirepass", "second")
    locked_valkey.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(StoreUnavailable):
        client.run(lambda server: server.ping())
    ssm["redis-url"] = url("second")
    assert client.run(lambda server: server.ping())
    ssm["redis-url"] = url("third")
    locked_valkey.config_set("requirepass", "third")
    locked_valkey.client_kill_filter(_type="normal", skipme=True)
    assert client.run(lambda server: server.ping()), "cut off, refused, and renewed in one call"
    client.close()


def test_another_redis_is_used_as_soon_as_its_address_is_known(
    ssm: dict[str, str], valkey: Valkey, tmp_path: Path
) -> None:
    parameters = Parameters("/vsl/test/")
    ssm["redis-url"] = valkey.url
    client = RedisClient(parameters.secret("redis-url"))
    client.run(lambda server: server.set("where", "here", ex=60))
    with Valkey(tmp_path, free_port()) as other:
        ssm["redis-url"] = other.url
        parameters.renew()
        assert client.run(lambda server: server.get("where")) is None
        client.close()


def test_the_bound_is_a_real_one() -> None:
    assert RENEW_SECONDS >= 10
