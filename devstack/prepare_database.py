"""The stack's database with every migration, made in a process of its own (child.py)."""

import psycopg

from database.migrate import migrate
from devstack.child import serve


def prepare_database(*, url: str, admin_url: str, keep: bool) -> None:
    """An empty one, or with `keep` that of the stack before, if there was one."""
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=10) as connection:
        if not keep:
            connection.execute("DROP DATABASE IF EXISTS vsl WITH (FORCE)")
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'vsl'").fetchone()
        if there is None:
            connection.execute("CREATE DATABASE vsl TEMPLATE template0 STRATEGY file_copy")
    migrate(url)


if __name__ == "__main__":
    serve(prepare_database)
