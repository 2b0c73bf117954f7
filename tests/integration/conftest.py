"""Real servers for the integration tests: one of each a session, a clean slate for each test."""

import itertools
from collections.abc import Iterator

import psycopg
import pytest
import redis

from database.migrate import migrate
from devstack.servers import Postgres, Valkey, free_port
from vsl.adapters.postgres.connection import PostgresConnection

TEMPLATE = "vsl_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The server; `vsl_template` is a migrated database that nobody is connected to."""
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", free_port()) as server:
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate(server.url_of(TEMPLATE))
        yield server


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A database of the test's own without any table."""
    yield from own_database(postgres, "template0")


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A database of the test's own with the whole schema."""
    yield from own_database(postgres)


@pytest.fixture
def connection(postgres_url: str) -> Iterator[PostgresConnection]:
    """To a database of the test's own, as a function has it."""
    made = PostgresConnection(lambda: postgres_url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with Valkey(tmp_path_factory.mktemp("valkey"), free_port()) as server:
        yield server


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """The Redis server, emptied."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    return valkey.url


def own_database(server: Postgres, template: str = TEMPLATE) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield server.url_of(name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
