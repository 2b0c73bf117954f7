"""One local stack for all end-to-end tests, on ports and in a folder of its own."""

import json
from collections.abc import Iterator

import pytest

from tests.support.everything import Life
from tests.support.receiver import receiver
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


@pytest.fixture(scope="session")
def life(stack: Stack) -> Iterator[Life]:
    """Lived once, for the tests that ask afterwards what was called and what was written down."""
    with receiver() as client:
        life = Life(stack, client)
        life.live()
        yield life


@pytest.fixture(autouse=True)
def no_faults_left_behind(stack: Stack) -> Iterator[None]:
    yield
    stack.control.faults()
    stack.forget_clients()
