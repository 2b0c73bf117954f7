"""The embedded servers: quick, quiet, and never left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from devstack.servers import Postgres, ServerError, Valkey, free_port, process, spawn, stop
from devstack.servers.process import Identity, give_way
from tests.support.waiting import until

pytestmark = pytest.mark.integration

SUPERVISOR = """
import os, sys, threading, time
from pathlib import Path
from devstack.servers import Postgres, Valkey

folder, postgres_port, valkey_port, how = Path(sys.argv[1]), *map(int, sys.argv[2:])
servers = Postgres(folder / "data", postgres_port), Valkey(folder, valkey_port)
for server in servers:
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
time.sleep(0.3)  # the starting threads are gone: that alone must not end the servers
print(*(server.process.pid for server in servers if server.process.poll() is None), flush=True)
os.kill(os.getpid(), how)
"""


def gone(pid: int) -> bool:
    """Ended, perhaps waiting to be reaped by whoever inherited it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.fixture(scope="module")
def used_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that was started, and stopped again."""
    data = tmp_path_factory.mktemp("cluster") / "data"
    with Postgres(data, free_port()):
        return data


def test_a_warm_start_takes_the_cluster_that_is_there(used_data: Path) -> None:
    made = (used_data / "PG_VERSION").stat().st_mtime_ns
    with Postgres(used_data, free_port()) as server:
        assert (used_data / "PG_VERSION").stat().st_mtime_ns == made
        with psycopg.connect(server.url) as connection:
            row = connection.execute(
                "SELECT current_user, current_database(), current_setting('server_encoding'),"
                " upper('é'), current_setting('TimeZone')"
            ).fetchone()
    assert row == ("vsl", "vsl", "UTF8", "É", "UTC")


def test_it_listens_on_loopback_only_and_leaves_no_socket_file(used_data: Path) -> None:
    with Postgres(used_data, free_port()) as server, psycopg.connect(server.url) as connection:
        rows = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchall()
    assert rows == [("127.0.0.1", "")]


def test_stopping_does_not_wait_for_clients_and_may_be_repeated(used_data: Path) -> None:
    server = Postgres(used_data, free_port())
    server.stop()
    server.start()
    with psycopg.connect(server.url, autocommit=True) as client:
        client.execute("SELECT 1")
        server.stop()  # a smart shutdown would wait for the client
        log = server.log.read_text()
        assert "received fast shutdown request" in log
        assert "received immediate shutdown request" not in log
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    server.stop()
    assert server.process is not None
    assert server.process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_servers_die_with_their_supervisor(used_data: Path, how: signal.Signals) -> None:
    arguments = [str(used_data.parent), str(free_port()), str(free_port()), str(int(how))]
    supervisor = subprocess.run(
        [sys.executable, "-c", SUPERVISOR, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert supervisor.returncode == -how, supervisor.stderr
    pids = [int(pid) for pid in supervisor.stdout.split()]
    assert len(pids) == 2
    for pid in pids:
        until(lambda pid=pid: gone(pid))  # type: ignore[misc]


def test_a_port_that_is_taken_is_told_with_the_log(used_data: Path, tmp_path: Path) -> None:
    with Valkey(tmp_path / "first", free_port()) as holder:
        with pytest.raises(ServerError, match="could not bind IPv4 address"):
            Postgres(used_data, holder.port).start()
        second = Valkey(tmp_path / "second", holder.port)
        with pytest.raises(ServerError, match=r"(?i)address already in use"):
            second.start()
        with redis.Redis.from_url(holder.url) as client:
            assert client.ping()


def test_a_cluster_is_whole_or_absent(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.with_name("data.draft").mkdir()
    (data.with_name("data.draft") / "half").write_text("left by a killed initdb")
    with Postgres(data, free_port()):
        assert (data / "PG_VERSION").exists()
        assert not (data / "half").exists()
    assert not data.with_name("data.draft").exists()


def test_valkey_keeps_nothing(tmp_path: Path) -> None:
    with Valkey(tmp_path, free_port()) as server:
        with redis.Redis.from_url(server.url, protocol=2) as client:
            client.set("key", "value")
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        server.stop()
        server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("key") is None
    assert {path.name for path in tmp_path.iterdir()} == {"valkey.log"}


def test_a_process_that_ignores_signals_is_killed(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    child = spawn(["/bin/sh", "-c", stubborn], tmp_path / "log")
    process.await_ready(
        "sh", child, tmp_path / "log", lambda: "ready" in (tmp_path / "log").read_text(), 600
    )
    stop(child, patience=0.2)
    assert child.returncode == -signal.SIGKILL


def test_a_server_that_never_gets_ready_is_told(tmp_path: Path) -> None:
    child = spawn(["/bin/sh", "-c", "echo still thinking; exec sleep 30"], tmp_path / "log")
    with pytest.raises(ServerError, match=r"(?s)not ready after 0.3 s.*still thinking"):
        process.await_ready("sh", child, tmp_path / "log", lambda: False, 0.3)
    stop(child)


@pytest.mark.skipif(sys.platform != "linux", reason="user namespaces are a thing of Linux")
@pytest.mark.parametrize("identity", ["namespace", "nobody"])
def test_a_program_can_run_as_somebody_unprivileged(tmp_path: Path, identity: Identity) -> None:
    if identity == "nobody" and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    if identity == "namespace" and not process._namespaces_work():
        pytest.skip("this kernel gives no user namespaces")
    child = spawn(["/usr/bin/id", "-u"], tmp_path / "log", identity=identity)
    assert child.wait() == 0
    assert (tmp_path / "log").read_text().strip() == "65534"


def test_without_a_death_signal_a_watcher_ends_the_server(tmp_path: Path) -> None:
    """The way of systems without prctl, driven here so that it is tried at all."""
    script = (
        "import os, sys, time; sys.path.insert(0, sys.argv[1]); import launch;"
        "parent = os.fork()\n"
        "if parent: time.sleep(0.5); os._exit(0)\n"
        "launch.watch(os.getppid(), 15, 0.05); print(os.getpid(), flush=True); time.sleep(60)"
    )
    folder = Path(process.__file__).parent
    output = tmp_path / "output"
    with output.open("wb") as log:
        command = [sys.executable, "-c", script, str(folder)]
        assert subprocess.run(command, stdout=log, check=False).returncode == 0
    until(lambda: gone(int(output.read_text())))


def test_a_process_that_gives_way_has_a_lower_priority_than_the_others(tmp_path: Path) -> None:
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    child = spawn([Path(sys.executable), "-c", "input()"], tmp_path / "log", stdin=subprocess.PIPE)
    try:
        give_way(child)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) > usual
    finally:
        assert child.stdin is not None
        child.stdin.close()
        stop(child)
