"""Recorded processes: a pid is trusted only together with its start time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.paths import StateFolder
from devstack.processes import ProcessId, minimal_environment
from devstack.stack import Recorded, read_processes, running_stack, write_processes, write_stack


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder.at(tmp_path)
    folder.create()
    return folder


def test_a_process_is_alive_until_it_is_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = ProcessId.of(child.pid)
        assert process.wait(0) is False
        assert not ProcessId(child.pid, "another start").alive
        assert not ProcessId(child.pid, "another start").signal(9)
        assert child.poll() is None
        assert process.signal(15)
        child.wait(10)
    assert process.wait(0.1)
    assert not process.alive
    with pytest.raises(ProcessLookupError):
        ProcessId.of(child.pid)


def test_a_stack_runs_as_long_as_its_supervisor(state: StateFolder) -> None:
    assert running_stack(state) is None
    write_stack(state, {"apiUrl": "http://api"})
    assert running_stack(state) is None
    ours = ProcessId.of(os.getpid())
    write_processes(state, [Recorded("supervisor", ours)])
    assert running_stack(state) == {"apiUrl": "http://api"}
    write_processes(state, [Recorded("supervisor", ProcessId(ours.pid, "before a reboot"))])
    assert running_stack(state) is None


def test_records_survive_the_file(state: StateFolder) -> None:
    recorded = [Recorded("valkey", ProcessId(1, "2"), 2)]
    write_processes(state, recorded)
    assert read_processes(state) == recorded
    state.processes.write_text("{half")
    assert read_processes(state) == []


def test_children_see_nothing_of_the_callers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment = minimal_environment(tmp_path)
    assert not [name for name in environment if name.startswith(("AWS_", "PYTHONPATH"))]
    assert environment["TMPDIR"] == str(tmp_path)
