"""What the tests of the console share: its widths, its pictures, its rules of accessibility."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, ViewportSize, expect

from tests.support.stack import Stack
from tests.support.template import REPOSITORY

PICTURES = REPOSITORY / "test-output/console"
WAIT_MS = 60_000
DESK = ViewportSize(width=1440, height=900)
TABLET = ViewportSize(width=820, height=1100)
PHONE = ViewportSize(width=390, height=844)
SMALL_PHONE = ViewportSize(width=360, height=740)


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo(0, 0)")  # or what sticks to the top stands in the middle
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def at(page: Page, place: str) -> None:
    page.goto(f"console/index.html#{place}")


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


def assert_fits(page: Page, name: str) -> None:
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{name} is {overflow} pixels too wide"


def operations_with(page: Page, stack: Stack, **more: Any) -> None:
    """The page for operators shows the stack's own figures, and these in their place.

    They are asked for here: a page that is closed while its route still fetches fails the next test.
    """
    figures = stack.api.operations() | more
    page.route("**/operations?*", lambda route: route.fulfill(json=figures))


def choose(page: Page, group: str, option: str) -> None:
    """One of a group of radio buttons, by its text."""
    page.get_by_role("radiogroup", name=group).get_by_role("radio", name=option, exact=True).check()


def pictures_made(page: Page, count: int) -> None:
    """Waits until so many pictures of the result are drawn."""
    images = page.locator(".media img")
    expect(images).to_have_count(count)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.media img')].every((image) => image.naturalWidth > 0)"
    )
