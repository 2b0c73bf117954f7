"""Ports for servers: free, different, and none that a connection may get meanwhile."""

import itertools
import os
import socket
from pathlib import Path

import pytest

from devstack import processes, supervisor
from devstack.paths import StateFolder
from devstack.processes import free_ports
from devstack.supervisor import Supervisor, UpOptions

pytestmark = pytest.mark.integration


def first_of_connections() -> int:
    return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])


def test_they_are_free_and_different_and_no_connection_gets_one() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert max(ports) < first_of_connections()
    for port in ports[:3]:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))


def test_processes_that_choose_at_the_same_moment_choose_different_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen: set[int] = set()
    first = os.getpid()
    for pid in range(first, first + 60):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        monkeypatch.setattr(processes, "_turns", itertools.count())
        given = set(free_ports(8))
        assert not given & chosen
        chosen |= given


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_ports(2)
    candidates = iter([taken, free])
    monkeypatch.setattr(processes, "_candidate", lambda: next(candidates))
    with socket.socket() as server:
        server.bind(("127.0.0.1", taken))
        assert free_ports(1) == [free]


@pytest.mark.parametrize("kept", ["1024 65000", "", "nonsense"])
def test_the_kernel_chooses_where_it_leaves_no_room(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = tmp_path / "range"
    setting.write_text(kept)
    monkeypatch.setattr(processes, "_CONNECTIONS", setting)
    (port,) = free_ports(1)
    assert port > 1024


def ports(tmp_path: Path, **given: int) -> dict[str, int]:
    options = UpOptions(state=StateFolder(tmp_path), ports=given)
    return Supervisor(options, print)._ports()


def test_the_usual_port_is_taken_if_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        usual = taken.getsockname()[1]
        monkeypatch.setattr(supervisor, "USUAL_PORT", usual)
        assert ports(tmp_path)["api"] != usual
    assert ports(tmp_path)["api"] == usual
    assert ports(tmp_path, api=0)["api"] != usual
    assert ports(tmp_path, api=4711)["api"] == 4711
    assert len(set(ports(tmp_path).values())) == 6
