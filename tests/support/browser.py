"""A real Chromium: one that is on PATH, else installed (`python -m tests.support.browser`)."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It asks nobody but the page it was sent to.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def on_path() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def kept_context(
    browser: "Browser", url: str, timeout_ms: int, **options: Any
) -> "Iterator[BrowserContext]":
    """Of the API at `url`, for all tests of a module.

    One page of it stays: the process that draws it, and what it has read, serve the others, too.
    """
    opened = browser.new_context(base_url=f"{url}/", **options)
    opened.set_default_timeout(timeout_ms)
    opened.new_page().goto("console/icon.svg")
    yield opened
    opened.close()


def fresh_page(context: "BrowserContext") -> "Page":
    """One that knows nothing of the tests before."""
    context.pages[0].evaluate("localStorage.clear()")
    return context.new_page()


def playwrights_own() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def install() -> None:
    """By the system's packages where we may, else into the user's own folder."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=True, env=environment)
        packages = ["apt-get", "install", "-qy", "--no-install-recommends", "chromium"]
        subprocess.run(packages, check=True, env=environment)
    else:
        command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
        subprocess.run(command, check=True)


if __name__ == "__main__" and not on_path() and not playwrights_own():
    install()
