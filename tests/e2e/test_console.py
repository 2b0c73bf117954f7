"""The console in a real Chromium, against the running stack. Pictures stay in test-output/console."""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Dialog, Page, Route, ViewportSize, expect

from devstack.replicate.faults import FileFault
from tests.support.api import unique
from tests.support.media_files import image_file
from tests.support.receiver import receiver
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

pytestmark = pytest.mark.e2e

PICTURES = REPOSITORY / "test-output/console"
WAIT_MS = 20_000
DESK, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=360, height=740)


@pytest.fixture(scope="module")
def user() -> str:
    """One for all tests here, with jobs of nobody else."""
    return unique("console").replace(" ", "-")


@pytest.fixture
def page(browser: Browser, stack: Stack, user: str) -> Iterator[Page]:
    """At the console, as this user; whatever the page complains of fails the test."""
    context = browser.new_context(viewport=DESK, base_url=f"{stack.api.url}/")
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    context.add_init_script(f"localStorage.setItem('vsl.userId', {json.dumps(user)})")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: _complain(message, complaints))
    opened.on("dialog", lambda dialog: _unexpected(dialog, complaints))
    opened.goto("console")
    yield opened
    context.close()
    assert not complaints, complaints


def _complain(message: Any, complaints: list[str]) -> None:
    """But for what the API refuses, which Chromium reports as an error as well."""
    if message.type in ("error", "warning") and "the server responded with" not in message.text:
        complaints.append(message.text)


def _unexpected(dialog: Dialog, complaints: list[str]) -> None:
    complaints.append(dialog.message)
    dialog.dismiss()


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def at(page: Page, place: str) -> None:
    page.goto(f"console/index.html#{place}")


def test_from_the_form_to_the_picture_and_its_timeline(page: Page, stack: Stack) -> None:
    prompt = unique("a lighthouse at dusk")
    expect(page).to_have_title("Playground · VSL")
    page.get_by_label("Model").select_option("flux-schnell")
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_label("Num outputs").fill("2")
    expect(page.get_by_text("About $0.006 and")).to_be_visible()
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_label("Progress")).to_be_visible()
    image = page.locator(".media img").first
    expect(image).to_have_attribute("alt", f"{prompt} 1 of 2")
    page.wait_for_function(
        "() => [...document.images].filter((i) => i.closest('.media')).length === 2"
    )
    page.wait_for_function("() => [...document.images].every((image) => image.naturalWidth > 0)")
    picture(page, "playground")

    page.get_by_role("link", name="Open the job").click()
    timeline = page.get_by_role("table", name="Where the time went")
    expect(timeline.get_by_role("rowheader", name="run", exact=True)).to_be_visible()
    expect(
        page.get_by_text(re.compile(r"Woken by the (webhook|poller)\. Submitted once"))
    ).to_be_visible()
    job_id = page.url.rpartition("/")[2]
    answer = httpx.get(f"{stack.api.url}/jobs/{job_id}/timeline", timeout=None, trust_env=False)
    names = [segment["name"].replace("_", " ") for segment in answer.json()["segments"]]
    assert timeline.get_by_role("rowheader").all_inner_texts() == names
    bars = timeline.locator(".bar").evaluate_all("all => all.map((bar) => bar.offsetHeight)")
    assert len(bars) == len(names)
    assert len(set(bars)) == 1, "a bar is as high as all others, whatever its segment is called"
    expect(page.get_by_label("Log of the model").last).to_contain_text(prompt)
    picture(page, "job")

    page.get_by_role("link", name="Again with these settings").click()
    expect(page.get_by_label("Prompt")).to_have_value(prompt)
    expect(page.get_by_label("Num outputs")).to_have_value("2")


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


def test_a_file_that_is_not_media_is_there_to_download(page: Page, stack: Stack, user: str) -> None:
    prompt = unique("a page in place of a picture")
    fault = {"match": {"prompt": prompt}, "kind": "wrong_type"}
    stack.control.faults(FileFault.model_validate(fault))
    status = stack.api.run("flux-schnell", {"prompt": prompt}, user_id=user)
    at(page, f"/jobs/{status['jobId']}")
    expect(page.locator(".media").get_by_role("link", name="Download")).to_be_visible()
    expect(page.locator(".media img")).to_have_count(0)


def test_what_is_refused_stands_beside_its_field(page: Page, stack: Stack) -> None:
    before = len(stack.control.predictions())
    page.get_by_label("Prompt").fill("a windmill")
    page.get_by_label("Width").fill("9999")
    expect(page.get_by_text("Something is not valid yet")).to_be_visible()
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("It must be between 256 and 1536, not 9999.")).to_be_visible()
    width = page.get_by_label("Width")
    expect(width).to_have_attribute("aria-invalid", "true")
    expect(width).to_be_focused()
    expect(page.get_by_text("What you make appears here.")).to_be_visible()
    width.fill("512")
    expect(width).not_to_have_attribute("aria-invalid", "true")
    assert len(stack.control.predictions()) == before


def test_a_full_budget_refuses_and_shows_what_is_left(page: Page, stack: Stack) -> None:
    user = unique("budget").replace(" ", "-")
    limit = {"period": "day", "limit": "0.004"}
    httpx.put(f"{stack.api.url}/budgets/{user}", json=limit, trust_env=False).raise_for_status()
    page.add_init_script(f"localStorage.setItem('vsl.userId', {json.dumps(user)})")
    page.reload()
    expect(page.locator(".left")).to_have_text("You may spend $0.004 today")
    page.get_by_label("Prompt").fill(unique("the last"))
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".media img")).to_be_visible()
    expect(page.locator(".left")).to_have_text("You may spend $0.001 today")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert")).to_contain_text("only $0.001 are left")
    page.get_by_role("link", name="See your budgets").click()
    expect(page.get_by_role("img", name="$0.003 spent, $0.001 of $0.004 left")).to_be_visible()
    expect(page.get_by_role("group", name="Table by model")).to_contain_text("flux-schnell")
    picture(page, "spend")


def test_a_running_job_is_canceled(page: Page, stack: Stack) -> None:
    page.get_by_label("Model").select_option("minimax-video-01")
    page.get_by_label("Prompt", exact=False).first.fill(unique("a fox"))
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The job was canceled.")).to_be_visible()
    job_id = str(page.get_by_role("link", name="Open the job").get_attribute("href")).rpartition(
        "/"
    )[2]
    assert stack.api.status(job_id)["status"] == "canceled"


def test_a_file_of_this_machine_becomes_an_input(page: Page, stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "first.png"
    file.write_bytes(image_file("PNG", 512, 288))
    page.get_by_label("Model").select_option("stability-video")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose an image").click()
    chooser.value.set_files(file)
    expect(page.get_by_text("first.png is there.")).to_be_visible()
    expect(page.get_by_label("Image")).to_have_value(re.compile("^upload:"))
    page.get_by_role("button", name="Generate").click()
    video = page.locator(".media video")
    expect(video).to_be_visible()
    page.wait_for_function("() => document.querySelector('.media video').readyState >= 1")


def test_the_gallery_by_filter_keyboard_and_scroll(page: Page, stack: Stack, user: str) -> None:
    template = stack.api.run("flux-schnell", {"prompt": "many"}, user_id=user)["jobId"]
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO jobs (job_id, user_id, media_type, model_id, parameters, status, timeout_seconds,"
            " estimated_time, estimated_cost, created_at, completed_at)"
            " SELECT overlay(job_id::text placing lpad(n::text, 4, '0') from 32)::uuid, user_id, media_type,"
            " 'sdxl', parameters, 'canceled', 60, 1, 0, created_at - make_interval(mins => n), completed_at"
            " FROM jobs, generate_series(1, 60) AS n WHERE job_id = %s",
            (template,),
        )
    at(page, "/jobs")
    cards = page.locator("a.job")
    expect(cards.first).to_have_attribute("href", f"#/jobs/{template}")
    cards.first.focus()
    page.keyboard.press("ArrowRight")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.thumbnail img')?.naturalWidth > 0")
    picture(page, "gallery")
    while page.get_by_role("button", name="More").is_visible():
        before = cards.count()
        page.mouse.wheel(0, 20_000)
        page.wait_for_function(
            "n => document.querySelectorAll('a.job').length > n"
            " || document.querySelector('.more-jobs').hidden",
            arg=before,
        )
    assert cards.count() >= 61

    page.get_by_label("Model").select_option("flux-schnell")
    expect(page.locator("a.job strong").first).to_have_text("flux-schnell")
    page.wait_for_function(
        "() => [...document.querySelectorAll('a.job strong')]"
        ".every((name) => name.textContent === 'flux-schnell')"
    )
    page.get_by_label("Kind").select_option("audio")
    expect(page.get_by_text("There are no such jobs.")).to_be_visible()
    at(page, "/jobs?modelId=flux-schnell")
    page.locator("a.job").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="flux-schnell")).to_be_visible()


def test_a_job_is_deleted_only_when_that_is_confirmed(page: Page, stack: Stack, user: str) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("gone")}, user_id=user)["jobId"]
    at(page, f"/jobs/{job_id}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    assert stack.api.status(job_id)["status"] == "succeeded"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    at(page, f"/jobs/{job_id}")
    expect(page.get_by_text("There is no job with this id.")).to_be_visible()


def test_a_client_that_was_away_is_called_again(page: Page, stack: Stack, user: str) -> None:
    with receiver() as client:
        client.answers["/"] = [500, 204, 204]
        job_id = stack.api.submit(
            "flux-schnell",
            {"prompt": unique("told")},
            user_id=user,
            callback_url=client.origin + "/",
        )
        client.wait("/", 2)
        at(page, f"/jobs/{job_id}")
        calls = page.get_by_role("region", name="Calls to the client")
        expect(calls.get_by_text(client.origin)).to_be_visible()
        expect(calls.get_by_text("500 · answer 500")).to_be_visible()
        page.get_by_role("button", name="Call again").click()
        expect(calls.get_by_role("cell", name="1, asked for")).to_be_visible()
        assert len(client.of("/")) == 3
    expect(calls.locator(".badge.delivered")).to_have_count(2)
    assert not Axe().run(page).response["violations"]
    picture(page, "callbacks")


def test_a_job_that_is_not_there_leads_back(page: Page) -> None:
    at(page, "/jobs/01994a3c-0000-7000-8000-000000000000")
    expect(page.get_by_text("There is no job with this id.")).to_be_visible()
    page.get_by_role("link", name="To the gallery").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()


@pytest.mark.parametrize(
    "place",
    ["/jobs/%", "/jobs/%E0%A4%A", "/jobs/..", "/jobs/%2E%2E", "/jobs/x", "/?from=..", "/?from=%"],
)
def test_an_address_that_names_no_job_leads_back(page: Page, place: str) -> None:
    at(page, place)
    expect(page.get_by_text("There is no job with this id.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="To the gallery").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()


def test_an_answer_that_is_not_held_back_is_not_asked_for_again_at_once(
    page: Page, stack: Stack, user: str
) -> None:
    """As where too many of the user's requests wait already."""
    ended = stack.api.run("flux-schnell", {"prompt": unique("a fox")}, user_id=user)
    job_id = ended["jobId"]
    running = {**ended, "status": "processing", "completedAt": None}
    held: list[str] = []

    def answer(route: Route) -> None:
        if "wait=20" in route.request.url:
            held.append(route.request.url)
        route.fulfill(json=running, headers={"Retry-After": "2"})

    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.route(f"**/status/{job_id}*", answer)
    at(page, f"/jobs/{job_id}")
    expect(page.get_by_label("Progress")).to_be_visible()
    for asked in (1, 2, 3):
        page.evaluate("async () => { for (let n = 0; n < 10; n += 1) await fetch('../models'); }")
        assert len(held) == asked
        page.clock.run_for(2000)


def test_another_user_sees_nothing_of_it(page: Page, user: str) -> None:
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("User id")).to_have_value(user)
    page.get_by_label("User id").fill(unique("stranger").replace(" ", "-"))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_text("There are no such jobs.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(
    page: Page, stack: Stack, user: str, scheme: str
) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("axe")}, user_id=user)["jobId"]
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    ready = {
        "playground": ("/", ".estimate"),
        "gallery": ("/jobs", "a.job"),
        "job": (f"/jobs/{job_id}", ".waterfall"),
        "operations": ("/operations", ".chart"),
        "spend": ("/spend", ".chart"),
    }
    for name, (place, mark) in ready.items():
        at(page, place)
        expect(page.locator(mark).first).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        page.set_viewport_size(PHONE)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{name} is {overflow} pixels too wide"
        picture(page, f"{name}-phone-{scheme}")
        page.set_viewport_size(DESK)
    page.get_by_role("button", name="Settings").click()
    assert not Axe().run(page).response["violations"]


def test_every_control_is_reached_by_the_keyboard(page: Page) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")
        )
        if "Generate" in reached:
            break
    assert {"Skip to the content", "Gallery", "Settings", "Generate"} <= reached
    assert "parameter-prompt" in reached
