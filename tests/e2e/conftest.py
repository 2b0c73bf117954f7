"""One local stack for all end-to-end tests, on ports and in a folder of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import Stack
from tests.support.template import REPOSITORY

SPEED = "0.05"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    state = tmp_path_factory.mktemp("stack")
    try:
        printed = _vsl("up", "--detach", "--json", "--speed", SPEED, state=state)
        yield Stack(json.loads(printed))
    finally:
        _vsl("down", state=state)


@pytest.fixture(autouse=True)
def no_faults_left_behind(stack: Stack) -> Iterator[None]:
    yield
    stack.control.faults()


def _vsl(*words: str, state: Path) -> str:
    command = [str(Path(sys.executable).parent / "vsl"), *words, "--state", str(state)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
