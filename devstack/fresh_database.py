"""An empty database with every migration, made in a process of its own (child.py)."""

import psycopg

from database.migrate import migrate
from devstack.child import serve


def fresh_database(*, url: str, admin_url: str) -> None:
    """An empty one each time: the engine forgets its tables and objects, so history would dangle."""
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("DROP DATABASE IF EXISTS vsl WITH (FORCE)")
        connection.execute("CREATE DATABASE vsl TEMPLATE template0 STRATEGY file_copy")
    migrate(url)


if __name__ == "__main__":
    serve(fresh_database)
