"""The console in a real Chromium, at a desk, as a user of this module's own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from tests.support.api import unique
from tests.support.browser import fresh_page, kept_context
from tests.support.console import DESK, WAIT_MS
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def user() -> str:
    """One for all tests of a module, with jobs of nobody else."""
    return unique("console").replace(" ", "-")


@pytest.fixture(scope="module")
def context(browser: Browser, stack: Stack, user: str) -> Iterator[BrowserContext]:
    expect.set_options(timeout=WAIT_MS)
    options = {"viewport": DESK, "timezone_id": "Pacific/Auckland"}
    with kept_context(browser, stack.api.url, WAIT_MS, **options) as opened:
        opened.grant_permissions(["clipboard-read", "clipboard-write"])
        # Once: a test may change it.
        opened.add_init_script(
            f"if (!localStorage.getItem('vsl.userId')) localStorage.setItem('vsl.userId', {json.dumps(user)})"
        )
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """At the console, as this user; whatever the page complains of fails the test."""
    opened = fresh_page(context)
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: _complain(message, complaints))
    opened.on("dialog", lambda dialog: _unexpected(dialog, complaints))
    opened.goto("console")
    yield opened
    opened.close()
    assert not complaints, complaints


def _complain(message: Any, complaints: list[str]) -> None:
    """But for what the API refuses, which Chromium reports as an error as well."""
    if message.type in ("error", "warning") and "the server responded with" not in message.text:
        complaints.append(message.text)


def _unexpected(dialog: Dialog, complaints: list[str]) -> None:
    complaints.append(dialog.message)
    dialog.dismiss()
