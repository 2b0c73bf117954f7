"""`vsl up` and what is left after it: nothing, however it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack.identity import Identity
from devstack.processes import free_ports
from devstack.replicate.control import Control
from tests.support import web
from tests.support.signing import signed
from tests.support.waiting import until

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]


def vsl(*words: str, state: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "vsl"), *words, "--state", str(state)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def processes_of(state: Path) -> set[int]:
    """Every process that was started for this stack: its folder is in its command or environment."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if str(state).encode() in told and not zombie:
            found.add(int(folder.name))
    return found


def gone(state: Path) -> bool:
    """Once everything has ended."""
    return until(lambda: not processes_of(state))


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    vsl("down", state=tmp_path / "state")
    assert gone(tmp_path / "state")


def up(state: Path, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        vsl("up", "--detach", "--json", "--speed", "0.05", *words, state=state).stdout
    )
    return document


def models(document: dict[str, Any], headers: dict[str, str] | None = None) -> int:
    """Status of GET /models, which has a function called."""
    url = f"{document['apiUrl']}/models"
    return web.get(url, headers=headers).status_code


def test_up_status_logs_deploy_down(state: Path) -> None:
    document = up(state, "--auth", "COGNITO")
    assert {
        "apiUrl",
        "replicateUrl",
        "awsEndpointUrl",
        "databaseUrl",
        "redisUrl",
        "bucket",
        "table",
        "stateMachineArn",
        "logs",
        "pid",
    } <= set(document)
    assert json.loads((state / "stack.json").read_text()) == document
    assert (state / "stack.json").stat().st_mode & 0o077 == 0

    token = {"Authorization": vsl("token", "user-1", state=state).stdout.strip()}
    assert (models(document), models(document, token)) == (401, 200)
    assert (state / "identity.json").stat().st_mode & 0o077 == 0

    again = up(state)
    assert again["pid"] == document["pid"]

    status = json.loads(vsl("status", "--json", state=state).stdout)
    assert status["running"]
    assert status["auth"]["mode"] == "COGNITO"
    assert {each["name"] for each in status["processes"]} == {
        "supervisor",
        "postgres",
        "valkey",
        "engine",
        "replicate",
        "gateway",
    }
    assert all(each["alive"] for each in status["processes"])

    assert "REPORT RequestId" in vsl("logs", "list_models", state=state).stdout
    assert "Ready" in vsl("logs", "engine", state=state).stdout
    *_, last = vsl("logs", "list_models", "--json", state=state).stdout.splitlines()
    assert json.loads(last).keys() == {"at", "source", "message"}
    unknown = vsl("logs", "nobody", state=state, check=False)
    assert unknown.returncode == 2
    assert "submit_prediction" in unknown.stderr

    assert json.loads(vsl("deploy", "--json", state=state).stdout)["functions"] > 20
    assert (models(document), models(document, token)) == (401, 200)

    vsl("down", state=state)
    assert gone(state)
    assert vsl("status", state=state, check=False).returncode == 1
    assert not (state / "tmp").exists()


def test_in_the_foreground_it_ends_with_ctrl_c(state: Path) -> None:
    command = [str(Path(sys.executable).parent / "vsl"), "up", "--json", "--state", str(state)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert gone(state)
    assert not (state / "stack.json").exists()


def test_what_stops_a_start_is_said_and_nothing_stays(state: Path) -> None:
    failed = vsl("up", "--detach", "--parameter", "Nope=1", state=state, check=False)
    assert failed.returncode == 1
    assert "no parameter Nope" in failed.stderr
    assert gone(state)


def test_a_killed_supervisor_leaves_nothing_behind(state: Path) -> None:
    document = up(state, "--auth", "API_KEY")
    assert (models(document), models(document, {"x-api-key": document["auth"]["apiKey"]})) == (
        403,
        200,
    )
    before = processes_of(state)
    assert "list-models" in {comm(pid) for pid in before}, "a function has been called"

    os.kill(document["pid"], signal.SIGKILL)
    assert gone(state)
    assert not (state / "tmp").exists()
    assert vsl("status", state=state, check=False).returncode == 1


def test_a_killed_supervisor_and_guard_leave_nothing_behind(state: Path) -> None:
    """Without the guard the kernel does it (Linux). The stand-in keeps the models it was given."""
    document = up(state, "--auth", "IAM")
    with Control(document["replicateUrl"]) as control:
        given = control.offer_model("acme", "sketch", {"openapi_schema": {"openapi": "3.0.2"}})
    auth = document["auth"]
    identity = Identity("", auth["accessKeyId"], auth["secretAccessKey"])
    headers = signed(identity, "GET", f"{document['apiUrl']}/models")
    assert (models(document), models(document, headers)) == (403, 200)
    guards = [pid for pid in children_of(document["pid"]) if b"guard.py" in _command(pid)]
    assert len(guards) == 1
    os.kill(guards[0], signal.SIGKILL)
    os.kill(document["pid"], signal.SIGKILL)
    assert gone(state)
    again = up(state)
    assert again["pid"] != document["pid"]
    with Control(again["replicateUrl"]) as control:
        assert control.model("acme", "sketch") == given


@pytest.mark.parametrize("part", ["valkey", "engine"])
def test_a_part_that_dies_takes_the_stack_down_with_a_reason(state: Path, part: str) -> None:
    document = up(state)
    assert models(document) == 200, "a worker is there"
    (pid,) = [
        each["pid"]
        for each in json.loads((state / "processes.json").read_text())
        if each["name"] == part
    ]
    os.kill(pid, signal.SIGKILL)
    assert gone(state)
    assert f"{part} ended by itself" in (state / "logs" / "supervisor.log").read_text()


def test_a_pid_of_somebody_else_is_left_alone(state: Path) -> None:
    """A record from before a reboot may name a pid that now is another's."""
    with subprocess.Popen(["sleep", "60"]) as other:
        state.mkdir()
        record = {"name": "supervisor", "pid": other.pid, "started": "1", "signal": 15}
        (state / "processes.json").write_text(json.dumps([record]))
        vsl("down", state=state)
        assert other.poll() is None
        other.terminate()


def children_of(parent: int) -> list[int]:
    """Children of a process."""
    return [
        int(pid)
        for thread in Path(f"/proc/{parent}/task").iterdir()
        for pid in (thread / "children").read_text().split()
    ]


def comm(pid: int) -> str:
    """A process's short name; a worker's is its function's."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_the_next_stack_brings_back_jobs_and_media(state: Path) -> None:
    def ask(*words: str) -> Any:
        return json.loads(vsl(*words, "--json", state=state).stdout)

    up(state)
    made = ask("generate", "flux-schnell", "--prompt", "kept")
    vsl("down", state=state)
    up(state, "--keep")
    assert ask("show", "last")["jobId"] == made["jobId"], "the user of every example is the same"
    (file,) = ask("download", "last", "-o", str(state / "files"))["files"]
    assert file["sha256"] == made["result"]["sha256"]
    assert ask("usage")["total"]["spent"] == "0.003"
    assert ask("generate", "flux-schnell", "--prompt", "new")["status"] == "succeeded"
    vsl("down", state=state)
    up(state)
    assert ask("jobs")["jobs"] == []


@dataclass(frozen=True)
class Running:
    """One that the tests below only look at."""

    state: Path
    port: int
    document: dict[str, Any]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state = tmp_path_factory.mktemp("running") / "state"
    (port,) = free_ports(1)
    try:
        yield Running(state, port, up(state, "--port", str(port)))
    finally:
        vsl("down", state=state)


def test_a_port_of_ones_own(running: Running) -> None:
    assert running.document["apiUrl"] == f"http://127.0.0.1:{running.port}"


def test_functions_are_forked_from_a_process_that_was_warm_before_the_first_call(
    running: Running,
) -> None:
    def servers() -> set[int]:
        found = {pid for pid in processes_of(running.state) if b"fork_server.py" in _command(pid)}
        return {pid for pid in found if comm(pid).startswith("python")}

    before = until(servers)
    assert models(running.document) == 200
    assert servers() == before


def test_the_supervisor_keeps_no_library_it_does_not_use(running: Running) -> None:
    """What a start needs besides is done in processes that end (devstack/child.py)."""
    maps = Path(f"/proc/{running.document['pid']}/maps").read_text()
    assert "libpython" in maps or "bin/python" in maps
    for library in ("psycopg", "pydantic", "cryptography"):
        assert library not in maps
