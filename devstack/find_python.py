"""Which Python everything here is installed for: `find_python.py UV` prints its path.

AWS Lambda runs the functions on 3.13, so that is taken if it is installed or can be fetched, else an
installed 3.12 or newer, and a line says so. Run before anything is installed, by a Python that may
be older than what it looks for: standard library only, and no new syntax.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = "3.13"
ENOUGH = ">=3.12,<3.15"
"""`requires-python` in pyproject.toml; a test compares."""
HELP = """\
Python 3.13 is needed; 3.12 or 3.14 will do. None is installed, and uv cannot fetch one:
  {reason}
Install it (Debian, Ubuntu: apt install python3.13 python3.13-venv; Fedora: dnf install python3.13;
macOS: brew install python@3.13; anywhere: pyenv install 3.13) and run the same command again, or
name another interpreter: make setup UV_PYTHON=/path/to/python3
"""


def choose(uv: str, asked: str | None, say: Callable[[str], object]) -> str:
    """Path of the interpreter. Raises SystemExit with what to do if there is none."""
    if asked:
        found = _find(uv, asked)
        if not found:
            raise SystemExit(f"UV_PYTHON names no Python that is here: {asked}")
        return found
    found = _find(uv, WANTED)
    if found:
        return found
    fetched = _run(uv, "python", "install", "--no-bin", WANTED)
    if fetched.returncode == 0:
        return _find(uv, WANTED)
    other = _find(uv, ENOUGH)
    if not other:
        raise SystemExit(HELP.format(reason=_last_line(fetched.stderr)))
    say(
        f"Python {WANTED} is not installed and cannot be fetched: taking {other}."
        f" `make build` needs {WANTED}.\n"
    )
    return other


def _find(uv: str, request: str) -> str:
    """Path of an installed interpreter; empty if there is none."""
    done = _run(uv, "python", "find", "--system", "--no-project", "--no-python-downloads", request)
    return done.stdout.strip() if done.returncode == 0 else ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].replace("cause: ", "") if lines else "it says nothing"


def _run(uv: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **_with_pyenv()}
    for name in ("UV_PYTHON", "VIRTUAL_ENV"):
        environment.pop(name, None)
    return subprocess.run(
        [uv, *words], capture_output=True, text=True, env=environment, check=False
    )


def _with_pyenv() -> dict[str, str]:
    """pyenv hides the versions that are not chosen behind commands that fail: choose all of them."""
    root = Path(os.environ.get("PYENV_ROOT") or Path("~").expanduser() / ".pyenv")
    versions: list[str] = []
    with suppress(OSError):  # another user's, say: before 3.13 that is an error here
        versions = sorted(found.parent.parent.name for found in root.glob("versions/*/bin/python3"))
    return {"PYENV_VERSION": ":".join(versions)} if versions else {}


if __name__ == "__main__":
    print(choose(sys.argv[1], os.environ.get("UV_PYTHON"), sys.stderr.write))
