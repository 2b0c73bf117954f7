"""Fault enumeration: real handlers and use cases in a world of virtual time.

`FAULT_PAIRS` is how many ordered pairs of faults are tried, `FAULT_SCENARIOS=all` tries every single
fault in every scenario; the normal suite takes a part of both. `--fault-seed` repeats a sample.
"""

import os
from collections.abc import Iterator

import pytest
import pytest_socket

from tests.fault.harness import handlers
from tests.fault.harness.campaign import Campaign

PAIRS = int(os.environ.get("FAULT_PAIRS", "300"))
EVERYTHING = PAIRS >= 2_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-seed", type=int, default=0, help="seed of the sample of fault pairs")


def pytest_runtest_setup() -> None:
    pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def world_installed() -> Iterator[None]:
    with handlers.installed():
        yield


@pytest.fixture
def campaign() -> Campaign:
    return Campaign()
