"""One local stack for all end-to-end tests, on ports and in a folder of its own."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import FLAGS, on_path
from tests.support.permission_coverage import Usage
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
def usage(stack: Stack) -> Iterator[Usage]:
    """Lived once, for the tests that ask afterwards what was called and what was written down."""
    with receiver() as client:
        usage = Usage(stack, client)
        usage.exercise()
        yield usage


_chromium = ExitStack()
_browsers: list[Browser] = []


@pytest.fixture(scope="module")
def browser() -> Browser:
    """The same one for modules that follow one another: to start it takes two seconds of a core."""
    if not _browsers:
        playwright = _chromium.enter_context(sync_playwright())
        started = playwright.chromium.launch(executable_path=on_path(), args=list(FLAGS))
        _chromium.callback(started.close)
        _browsers.append(started)
    return _browsers[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Playwright has an event loop run in this thread, which other tests would trip over."""
    try:
        yield
    finally:
        if "browser" not in getattr(nextitem, "fixturenames", ()):
            _browsers.clear()
            _chromium.close()


@pytest.fixture(autouse=True)
def no_faults_left_behind(stack: Stack) -> Iterator[None]:
    yield
    stack.control.faults()
    stack.forget_clients()
