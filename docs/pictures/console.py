"""Make `console.webp` from the running local stack: `.venv/bin/python docs/pictures/console.py`.

The seed makes the stand-in draw the same picture each time; `tests/e2e` compares the committed file
with a new one.
"""  # noqa: INP001 - a script, not a package

import io
import json
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.support.browser import FLAGS, on_path  # noqa: E402 - of this repository

SIZE = ViewportSize(width=1280, height=800)
PROMPT = "A lighthouse on a cliff at sunset, oil painting"
TIMEOUT_MS = 60_000


def shoot(api_url: str, browser: Browser) -> Image.Image:
    """The playground with a finished image."""
    context = browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script("localStorage.setItem('vsl.userId', 'picture')")
    page = context.new_page()
    page.goto(f"{api_url}/console")
    page.get_by_label("Prompt").fill(PROMPT)
    page.get_by_role("radio", name="16:9").check()
    page.get_by_text("Settings").click()
    page.get_by_label("Seed").fill("7")
    page.get_by_text("Settings").click()
    page.get_by_role("button", name="Generate").click()
    page.wait_for_function("() => document.querySelector('.media img')?.naturalWidth > 0")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    return picture


def main() -> None:
    command = [Path(sys.executable).with_name("vsl"), "status", "--json"]
    stack = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - ours
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=on_path(), args=list(FLAGS))
        shoot(json.loads(stack)["apiUrl"], browser).save(HERE / "console.webp", quality=82)


if __name__ == "__main__":
    main()
