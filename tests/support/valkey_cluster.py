"""A Valkey cluster of two nodes on this machine, each with half of the slots."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

from devstack.servers import Valkey, free_port

_SLOTS = 16_384
_SECONDS = 30.0


@contextmanager
def cluster(folder: Path) -> Iterator[list[Valkey]]:
    """The nodes, once they agree that the cluster is complete."""
    with ExitStack() as stack:
        buses = [free_port(), free_port()]
        nodes = [stack.enter_context(_node(folder / str(bus), bus)) for bus in buses]
        admins = [stack.enter_context(redis.Redis(port=node.port)) for node in nodes]
        half = _SLOTS // 2
        admins[0].execute_command("CLUSTER ADDSLOTSRANGE", 0, half - 1)
        admins[1].execute_command("CLUSTER ADDSLOTSRANGE", half, _SLOTS - 1)
        admins[0].execute_command("CLUSTER MEET", "127.0.0.1", nodes[1].port, buses[1])
        await_complete(nodes)
        yield nodes


def await_complete(nodes: list[Valkey]) -> None:
    for node in nodes:
        with redis.Redis(port=node.port) as admin:
            _await_complete(admin)


def _node(folder: Path, bus: int) -> Valkey:
    return Valkey(folder, free_port(), {"cluster-enabled": "yes", "cluster-port": str(bus)})


def _await_complete(admin: redis.Redis) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        info: Any = admin.cluster("INFO")
        if info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "2":
            return
        time.sleep(0.05)
    raise TimeoutError("The nodes did not become a cluster.")
