"""The gallery: what a tile tells, filters, new jobs, the way back, selection, the first use."""

import re

import psycopg
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from devstack.replicate.faults import Match, PredictionFails, PredictionSlow
from tests.support import web
from tests.support.api import unique
from tests.support.console import PHONE, assert_accessible, assert_fits, at, picture
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def tile(page: Page, job_id: str) -> Locator:
    return page.locator(f"li[data-job='{job_id}']")


def older(stack: Stack, template: str, count: int) -> None:
    """So many jobs of another model, older than this one."""
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO jobs (job_id, user_id, media_type, model_id, parameters, status, timeout_seconds,"
            " estimated_time, estimated_cost, created_at, completed_at)"
            " SELECT overlay(job_id::text placing lpad(n::text, 4, '0') from 32)::uuid, user_id, media_type,"
            " 'sdxl', parameters, 'canceled', 60, 1, 0, created_at - make_interval(mins => n), completed_at"
            " FROM jobs, generate_series(1, %s) AS n WHERE job_id = %s",
            (count, template),
        )


def submit_with(stack: Stack, user: str, **more: object) -> str:
    body = {"userId": user, "modelId": "flux-schnell", **more}
    answer = web.post(f"{stack.api.url}/generate-media", json=body)
    assert answer.status_code == 202, answer.text
    return str(stack.api.finish(answer.json()["jobId"])["jobId"])


def test_a_tile_has_the_prompt_as_title_and_marks_only_what_is_not_usual(
    page: Page, stack: Stack, user: str
) -> None:
    broken, four = unique("a broken thing"), unique("four hens")
    stack.control.faults(PredictionFails(error="CUDA out of memory", match=Match(prompt=broken)))
    jobs = {
        "four": stack.api.run("flux-schnell", {"prompt": four, "num_outputs": 4}, user_id=user),
        "failed": stack.api.run("flux-schnell", {"prompt": broken}, user_id=user),
        "sound": stack.api.run("stable-audio-open", {"prompt": "rain"}, user_id=user),
    }
    places = {name: tile(page, job["jobId"]) for name, job in jobs.items()}
    at(page, "/jobs")
    expect(places["four"].get_by_role("link")).to_contain_text(four)
    expect(places["four"].locator(".of")).to_have_text("flux-schnell")
    expect(places["four"].locator(".mark")).to_have_text(re.compile(r"^.4$"))
    expect(places["sound"].locator(".mark")).to_have_text("8.0 s")
    for name in ("four", "sound"):
        expect(places[name].locator(".badge")).to_have_count(0)
    expect(places["failed"].locator(".reason")).to_contain_text("The model ran out of memory")
    expect(places["failed"].locator(".reason")).to_contain_text("PredictionFailed")
    assert_accessible(page)
    picture(page, "gallery")


def test_the_gallery_by_search_and_filters(page: Page, stack: Stack, user: str) -> None:
    word = unique("zebra").replace(" ", "")
    found = submit_with(stack, user, prompt=f"a {word} at noon", metadata={"order": "17"})
    other = submit_with(stack, user, prompt="something else", metadata={"order": "18"})
    at(page, "/jobs")
    expect(tile(page, other)).to_be_visible()
    page.get_by_label("Search prompts").fill(word)
    expect(tile(page, other)).to_have_count(0)
    expect(tile(page, found)).to_be_visible()
    expect(page).to_have_url(re.compile(f"q={word}"))
    expect(page.get_by_label("Search prompts")).to_be_focused()
    page.get_by_label("Search prompts").fill("")
    expect(tile(page, other)).to_be_visible()
    page.get_by_label("Metadata").fill("order=17")
    expect(tile(page, other)).to_have_count(0)
    expect(tile(page, found)).to_be_visible()
    page.get_by_label("Metadata").fill("order")
    expect(page.get_by_label("Metadata")).to_have_attribute("aria-invalid", "true")
    at(page, "/jobs")
    page.get_by_label("Type").select_option("audio")
    expect(tile(page, found)).to_have_count(0)
    page.get_by_label("Status").select_option("storing")
    expect(page.get_by_role("heading", name="No job matches")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    expect(tile(page, found)).to_be_visible()


def test_a_search_that_is_typed_on_keeps_its_words(page: Page, stack: Stack, user: str) -> None:
    stack.api.run("flux-schnell", {"prompt": unique("typed")}, user_id=user)
    at(page, "/jobs")
    page.get_by_label("Search prompts").press_sequentially("one two three", delay=120)
    expect(page).to_have_url(re.compile("q=one.two.three"))
    expect(page.get_by_label("Search prompts")).to_have_value("one two three")


def test_new_jobs_come_in_by_themselves(page: Page, stack: Stack, user: str) -> None:
    slow = unique("slow")
    stack.control.faults(PredictionSlow(starting=1, running=6, match=Match(prompt=slow)))
    at(page, "/jobs")
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    job_id = stack.api.submit("flux-schnell", {"prompt": slow}, user_id=user)
    expect(tile(page, job_id).locator(".now")).to_be_visible()
    expect(tile(page, job_id).locator("img")).to_be_visible()
    expect(tile(page, job_id).locator(".now")).to_have_count(0)


def test_keyboard_scroll_and_the_way_back(page: Page, stack: Stack, user: str) -> None:
    template = stack.api.run("flux-schnell", {"prompt": unique("many")}, user_id=user)["jobId"]
    older(stack, template, 60)
    at(page, "/jobs?modelId=sdxl")
    links = page.locator("a.job")
    expect(links.first).to_be_visible()
    links.first.focus()
    page.keyboard.press("ArrowRight")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("Home")
    expect(links.first).to_be_focused()
    while page.get_by_role("button", name="More").is_visible():
        before = links.count()
        page.mouse.wheel(0, 20_000)
        page.wait_for_function(
            "n => document.querySelectorAll('a.job').length > n"
            " || document.querySelector('.more-jobs').hidden",
            arg=before,
        )
    assert links.count() >= 60
    link = links.nth(40)
    link.scroll_into_view_if_needed()
    there = page.evaluate("scrollY")
    assert there > 0
    name = str(link.get_attribute("href"))
    link.click()
    expect(page.get_by_role("link", name="Run again")).to_be_visible()
    page.go_back()
    expect(page.locator(f"a.job[href='{name}']")).to_be_in_viewport()
    assert abs(page.evaluate("scrollY") - there) < 5
    page.locator(f"a.job[href='{name}']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="← Gallery")).to_have_attribute(
        "href", "#/jobs?modelId=sdxl"
    )


def test_what_is_selected_is_downloaded_and_deleted(page: Page, stack: Stack, user: str) -> None:
    jobs = [
        stack.api.run("flux-schnell", {"prompt": unique("chosen")}, user_id=user)["jobId"]
        for _ in range(3)
    ]
    at(page, "/jobs")
    places = [tile(page, job_id) for job_id in jobs]
    bar = page.get_by_role("toolbar", name="Selected jobs")
    expect(places[0]).to_be_visible()
    expect(bar).to_be_hidden()
    places[2].hover()
    places[2].get_by_role("checkbox").check()
    places[1].get_by_role("link").focus()
    page.keyboard.press("Space")
    expect(bar.get_by_role("status")).to_have_text("2 selected")
    assert_accessible(page)
    names: list[str] = []
    could_be_deleted = []
    delete = bar.get_by_role("button", name="Delete")

    def look(route: Route) -> None:
        could_be_deleted.append(delete.is_enabled())
        route.continue_()

    page.on("download", lambda download: names.append(download.suggested_filename))
    page.route(re.compile("X-Amz-Signature"), look)
    with page.expect_download(lambda _: len(names) == 2):
        bar.get_by_role("button", name="Download").click()
    assert could_be_deleted == [False, False]
    delete.click()
    page.get_by_role("button", name="Delete for good").click()
    expect(places[1]).to_have_count(0)
    expect(places[2]).to_have_count(0)
    expect(places[0]).to_be_visible()
    expect(bar).to_be_hidden()
    assert sorted(name.partition("-0-")[0] for name in names) == sorted(jobs[1:])
    statuses = [web.get(f"{stack.api.url}/status/{job_id}").status_code for job_id in jobs]
    assert statuses == [200, 404, 404]


def test_a_range_is_selected_with_shift(page: Page, stack: Stack, user: str) -> None:
    for _ in range(3):
        stack.api.run("flux-schnell", {"prompt": unique("range")}, user_id=user)
    at(page, "/jobs")
    boxes = page.locator(".pick input")
    expect(boxes.nth(2)).to_be_attached()
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.get_by_role("toolbar").get_by_role("status")).to_have_text("3 selected")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".pick :checked")).to_have_count(0)


def test_who_has_made_nothing_yet_is_shown_where_to_begin(page: Page) -> None:
    page.evaluate(
        "user => localStorage.setItem('vsl.userId', user)", unique("new").replace(" ", "-")
    )
    page.reload()
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", name="Nothing made yet")).to_be_visible()
    assert_accessible(page)
    picture(page, "gallery-first-use")
    page.set_viewport_size(PHONE)
    assert_fits(page, "the first use")
    example = page.locator(".examples a").first
    text = example.inner_text().splitlines()[-1]
    example.click()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(text)
