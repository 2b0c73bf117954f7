"""One local stack for all end-to-end tests, on ports and in a folder of its own."""

import json
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, vsl

SPEED = "0.05"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    state = tmp_path_factory.mktemp("stack")
    try:
        printed = vsl("up", "--detach", "--json", "--speed", SPEED, state=state)
        running = Stack(json.loads(printed))
        yield running
        running.close()
    finally:
        vsl("down", state=state)


@pytest.fixture(autouse=True)
def no_faults_left_behind(stack: Stack) -> Iterator[None]:
    yield
    stack.control.faults()
    stack.forget_clients()
