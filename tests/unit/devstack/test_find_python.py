"""Which interpreter `make setup` takes, for each set of them that a machine may have."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

import pytest

from devstack.find_python import ENOUGH, _with_pyenv
from tests.support.template import REPOSITORY

SCRIPT = REPOSITORY / "devstack" / "find_python.py"
# It knows what is installed and whether it can fetch; what it was asked it notes.
UV = """#!/bin/sh
'''exec' '{python}' "$0" "$@"
' '''
import json, os, sys
here = json.loads(os.environ["HERE"])
words = sys.argv[1:]
with open(os.environ["NOTES"], "a") as notes:
    notes.write(" ".join(words) + chr(10))
assert "UV_PYTHON" not in os.environ
assert os.environ.get("PYENV_VERSION") == os.environ.get("EXPECTED")
if words[1] == "install":
    if os.environ["REACHABLE"] == "no":
        sys.stderr.write("error: Failed to install" + chr(10) + "  cause: dns error" + chr(10))
        sys.exit(1)
    open(os.environ["NOTES"] + ".fetched", "w").close()
    sys.exit(0)
if os.path.exists(os.environ["NOTES"] + ".fetched"):
    here["3.13"] = "/fetched/python3.13"
found = here.get(words[-1])
if found is None:
    sys.exit(2)
print(found)
"""


def run(
    folder: Path,
    here: dict[str, str],
    *,
    reachable: bool,
    asked: str | None = None,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    uv = folder / "uv"
    uv.write_text(UV.replace("{python}", sys.executable))
    uv.chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "HERE": json.dumps(here),
        "REACHABLE": "yes" if reachable else "no",
        "NOTES": str(folder / "notes"),
        "HOME": str(folder),
        **more,
        **({} if asked is None else {"UV_PYTHON": asked}),
    }
    command = [sys.executable, str(SCRIPT), str(uv)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_an_installed_3_13_is_taken_and_nothing_fetched(tmp_path: Path) -> None:
    here = {"3.13": "/usr/bin/python3.13", ENOUGH: "/usr/bin/python3.12"}
    done = run(tmp_path, here, reachable=True)
    assert (done.stdout, done.stderr) == ("/usr/bin/python3.13\n", "")
    assert "install" not in (tmp_path / "notes").read_text()


def test_a_3_13_that_can_be_fetched_comes_before_another_version(tmp_path: Path) -> None:
    done = run(tmp_path, {ENOUGH: "/usr/bin/python3.12"}, reachable=True)
    assert (done.stdout, done.stderr) == ("/fetched/python3.13\n", "")


def test_out_of_reach_another_version_is_taken_and_one_line_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, {ENOUGH: "/usr/bin/python3.12"}, reachable=False)
    assert done.stdout == "/usr/bin/python3.12\n"
    (line,) = done.stderr.splitlines()
    assert "taking /usr/bin/python3.12" in line
    assert "`make build` needs 3.13" in line


def test_with_none_it_says_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, {}, reachable=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "dns error" in done.stderr
    assert "apt install python3.13" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("here", "status"), [({"/my/python": "/my/python"}, 0), ({}, 1)])
def test_an_interpreter_that_is_named_is_taken_or_refused(
    tmp_path: Path, here: dict[str, str], status: int
) -> None:
    done = run(
        tmp_path, {**here, "3.13": "/usr/bin/python3.13"}, reachable=True, asked="/my/python"
    )
    assert done.returncode == status
    assert done.stdout.strip() == here.get("/my/python", "")


def test_versions_that_pyenv_hides_are_seen(tmp_path: Path) -> None:
    """Its command for a version that is not chosen fails, and uv would stop there."""
    for version in ("3.12.1", "3.13.0"):
        interpreter = tmp_path / ".pyenv" / "versions" / version / "bin" / "python3"
        interpreter.parent.mkdir(parents=True)
        interpreter.touch()
    here = {"3.13": "/usr/bin/python3.13"}
    done = run(tmp_path, here, reachable=False, EXPECTED="3.12.1:3.13.0")
    assert (done.stdout, done.stderr) == ("/usr/bin/python3.13\n", "")


def test_a_pyenv_that_may_not_be_read_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of another user whose settings were inherited; Python 3.12 and older raise there."""

    def refuse(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", "/root/.pyenv")

    monkeypatch.setattr(Path, "glob", refuse)
    assert _with_pyenv() == {}


def test_what_will_do_is_what_the_lock_file_is_for() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ENOUGH
    lock = tomllib.loads((REPOSITORY / "uv.lock").read_text())
    assert lock["requires-python"].replace(" ", "") == ENOUGH
