"""Every page: accessible, in place on a phone, by keyboard alone, small; pictures of each are kept."""

import runpy

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Page, Request, expect

from tests.support.api import unique
from tests.support.console import (
    DESK,
    PHONE,
    SMALL_PHONE,
    TABLET,
    WAIT_MS,
    assert_accessible,
    assert_fits,
    at,
    picture,
)
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

pytestmark = pytest.mark.e2e

FIRST_LOAD_BYTES = 200_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_every_width(
    page: Page, stack: Stack, user: str, scheme: str
) -> None:
    job_id = stack.api.run(
        "flux-schnell", {"prompt": unique("axe"), "num_outputs": 4}, user_id=user
    )["jobId"]
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    ready = {
        "playground": ("/", ".estimate:not(:empty)"),
        "gallery": ("/jobs", "a.job img"),
        "job": (f"/jobs/{job_id}", ".waterfall"),
        "operations": ("/operations", ".chart"),
        "spend": ("/spend", ".chart"),
    }
    for name, (place, mark) in ready.items():
        for size in (DESK, TABLET, PHONE):
            page.set_viewport_size(size)
            at(page, place)
            page.reload()
            expect(page.locator(mark).first).to_be_visible()
            page.wait_for_function("() => [...document.images].every((image) => image.complete)")
            assert_accessible(page)
            picture(page, f"{name}-{size['width']}-{scheme}")
        for size in (TABLET, PHONE, SMALL_PHONE):
            page.set_viewport_size(size)
            assert_fits(page, f"{name} at {size['width']}")


def test_every_control_is_reached_by_the_keyboard(page: Page) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")
        )
        if any(each.startswith("Generate") for each in reached):
            break
    assert {"Skip to the content", "Gallery", "Form", "Settings", "Exact size"} <= reached
    assert {"parameter-prompt", "parameter-shape-1:1", "parameter-num_outputs-1"} <= reached
    assert any(each.startswith("Generate") for each in reached)


def test_the_first_visit_loads_little(browser: Browser, stack: Stack) -> None:
    """Bytes as they go over the line, of everything but the API's own answers."""
    context = browser.new_context()  # which has nothing yet
    visit = context.new_page()
    finished: list[Request] = []
    visit.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 - Playwright marks it
    visit.goto(f"{stack.api.url}/console")
    expect(visit.get_by_role("button", name="Generate")).to_be_visible(timeout=WAIT_MS)
    files = [each for each in finished if "/console/" in each.url]
    assert any(each.url.endswith("playground.js") for each in files)
    loaded = sum(each.sizes()["responseBodySize"] for each in files)
    assert 30_000 < loaded < FIRST_LOAD_BYTES

    visit.reload()
    expect(visit.get_by_role("button", name="Generate")).to_be_visible(timeout=WAIT_MS)
    again = visit.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter(({ name }) => name.includes('/console/')).map(({ transferSize }) => transferSize)"
    )
    assert len(again) > 20
    assert not any(again), "everything but the page is the browser's own already"
    context.close()


def test_the_picture_in_the_documents_is_what_the_console_looks_like(
    browser: Browser, stack: Stack
) -> None:
    """Small and grey, so that other fonts are the same picture and another page is not."""
    script = REPOSITORY / "docs/pictures/console.py"
    shoot = runpy.run_path(str(script))["shoot"]
    with Image.open(script.with_suffix(".webp")) as committed:
        pictures = [committed.convert("RGB"), shoot(stack.api.url, browser)]
    assert pictures[0].size == pictures[1].size
    small = [picture.convert("L").resize((48, 32)) for picture in pictures]
    mean = ImageStat.Stat(ImageChops.difference(*small)).mean[0]
    assert mean < 4, "run docs/pictures/console.py and commit what it writes"
