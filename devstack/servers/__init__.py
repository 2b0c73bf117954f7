"""Real servers from PyPI wheels: PostgreSQL and Valkey on loopback, children of their starter."""

from devstack.servers.postgres import Postgres
from devstack.servers.process import ServerError, free_port, spawn, stop
from devstack.servers.valkey import Valkey

__all__ = ["Postgres", "ServerError", "Valkey", "free_port", "spawn", "stop"]
