"""The playground: form, JSON and code in step, live price, result, strip of earlier results."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from devstack.replicate.faults import Match, PredictionSlow
from tests.support import web
from tests.support.api import unique
from tests.support.console import PHONE, assert_accessible, at, choose, picture, pictures_made
from tests.support.media_files import image_file
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def generate(page: Page) -> None:
    page.get_by_role("button", name="Generate").click()


def test_from_the_form_to_the_picture_and_its_timeline(page: Page, stack: Stack) -> None:
    prompt = unique("a lighthouse at dusk")
    expect(page).to_have_title("Playground · VSL")
    page.get_by_label("Model", exact=True).select_option("flux-schnell")
    page.get_by_label("Prompt").fill(prompt)
    choose(page, "Number of outputs", "2")
    expect(page.locator(".estimate")).to_have_text(re.compile(r"^\$0\.006 · about"))
    generate(page)
    expect(page.get_by_label("Progress")).to_be_visible()
    pictures_made(page, 2)
    expect(page.locator(".media img").first).to_have_attribute("alt", f"{prompt} 1 of 2")
    picture(page, "playground")

    page.get_by_role("link", name="Open the job").click()
    timeline = page.get_by_role("table", name="Where the time went")
    expect(timeline.get_by_role("rowheader", name="Run", exact=True)).to_be_visible()
    expect(
        page.get_by_text(re.compile(r"Woken by the (webhook|poller)\. Submitted once"))
    ).to_be_visible()
    expect(page.get_by_label("Log of the model").last).to_contain_text(prompt)
    page.get_by_role("link", name="Run again").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(prompt)
    expect(page.get_by_role("radio", name="2", exact=True).first).to_be_checked()


def test_settings_are_folded_and_open_for_what_is_refused(page: Page, stack: Stack) -> None:
    before = len(stack.control.predictions())
    page.get_by_label("Prompt").fill("a windmill")
    width = page.get_by_label("Width")
    expect(width).to_be_hidden()
    expect(page.get_by_label("Seed")).to_be_hidden()
    page.get_by_text("Exact size").click()
    width.fill("9999")
    page.get_by_text("Exact size").click()
    expect(page.get_by_text("Something is not valid yet")).to_be_visible()
    generate(page)
    expect(page.get_by_text("It must be between 256 and 1536, not 9999.")).to_be_visible()
    expect(width).to_have_attribute("aria-invalid", "true")
    expect(width).to_be_focused()
    expect(page.get_by_text("What you make appears here")).to_be_visible()
    width.fill("512")
    expect(width).not_to_have_attribute("aria-invalid", "true")
    assert len(stack.control.predictions()) == before


def test_a_shape_stands_for_a_width_and_a_height(page: Page) -> None:
    page.get_by_label("Prompt").fill("a shape")
    choose(page, "Aspect ratio", "16:9")
    page.get_by_text("Exact size").click()
    expect(page.get_by_label("Width")).to_have_value("1344")
    expect(page.get_by_label("Height")).to_have_value("768")
    page.get_by_label("Width").fill("768")
    expect(page.get_by_role("radio", name="1:1")).to_be_checked()
    page.get_by_label("Height").fill("600")
    expect(page.get_by_role("radiogroup", name="Aspect ratio").locator(":checked")).to_have_count(0)
    page.get_by_label("Model", exact=True).select_option("seedance-1-lite")
    expect(page.get_by_role("radio", name="16:9")).to_be_checked()
    choose(page, "Aspect ratio", "9:16")
    page.get_by_role("tab", name="JSON").click()
    expect(page.get_by_label("Parameters as JSON")).to_have_value(
        re.compile('"aspect_ratio": "9:16"')
    )


def test_names_are_human_and_no_help_is_told_twice(page: Page) -> None:
    for model in (
        page.get_by_label("Model", exact=True)
        .locator("option")
        .evaluate_all("all => all.map((each) => each.value)")
    ):
        page.get_by_label("Model", exact=True).select_option(model)
        expect(page.locator("#model-about")).not_to_be_empty()
        page.get_by_role("tab", name="Form").wait_for()
        labels = page.locator(".fields label, .fields .label").all_inner_texts()
        assert labels
        assert not [label for label in labels if "_" in label or label.lower().startswith("num ")]
        hints = [
            hint
            for hint in page.locator(".fields .hint").all_text_contents()
            if hint and not hint.startswith("drop")
        ]
        assert len(hints) == len(set(hints)), model


def test_form_json_and_code_stay_in_step(page: Page) -> None:
    prompt = unique('it\'s a "quoted" fox')
    page.get_by_label("Prompt").fill(prompt)
    choose(page, "Number of outputs", "3")
    page.get_by_role("tab", name="JSON").click()
    area = page.get_by_label("Parameters as JSON")
    assert json.loads(area.input_value()) == {"prompt": prompt, "num_outputs": 3}
    area.fill('{"prompt": ')
    expect(page.get_by_text("This is not JSON yet")).to_be_visible()
    area.fill('{"prompt": "a hen", "shoes": 2}')
    expect(page.get_by_text("flux-schnell has no parameter shoes.")).to_be_visible()
    generate(page)
    expect(area).to_be_focused()
    area.fill('{"prompt": "a hen", "seed": 7}')
    expect(page.locator("#json-error")).to_be_empty()
    page.keyboard.press("Tab")
    page.get_by_role("tab", name="JSON").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="curl")).to_be_focused()
    expect(page.get_by_label("The request in curl")).to_contain_text('"seed": 7')
    page.get_by_role("tab", name="TypeScript").click()
    expect(page.get_by_label("The request in TypeScript")).to_contain_text('"prompt": "a hen"')
    page.get_by_role("tab", name="Form").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("a hen")
    assert_accessible(page)


@pytest.mark.parametrize("language", ["curl", "Python", "TypeScript"])
def test_the_code_runs_as_it_stands(
    page: Page, stack: Stack, user: str, tmp_path: Path, language: str
) -> None:
    prompt = unique('it\'s a "quoted" $HOME')
    page.get_by_label("Prompt").fill(prompt)
    choose(page, "Number of outputs", "2")
    page.get_by_role("tab", name=language).click()
    page.get_by_role("tabpanel", name=language).get_by_role("button", name="Copy").click()
    code = page.evaluate("navigator.clipboard.readText()")
    assert code == page.get_by_label(f"The request in {language}").text_content()
    file = tmp_path / {"curl": "run.sh", "Python": "run.py", "TypeScript": "run.mjs"}[language]
    file.write_text(code)
    runner = {"curl": ["bash"], "Python": [sys.executable], "TypeScript": ["node"]}[language]
    environment = {**os.environ, "NO_PROXY": "*"}
    subprocess.run([*runner, file], check=True, capture_output=True, env=environment)
    made = [each for each in stack.control.predictions() if each.input.get("prompt") == prompt]
    assert [each.input["num_outputs"] for each in made] == [2]
    listed = web.get(f"{stack.api.url}/jobs?userId={user}").json()["jobs"]
    assert listed, "it is this user's"


def test_the_keyboard_sends_and_the_picture_takes_the_place_that_was_kept(page: Page) -> None:
    page.get_by_label("Prompt").fill(unique("no shift"))
    choose(page, "Aspect ratio", "1:1")
    page.get_by_label("Prompt").press("Control+Enter")
    frame = page.locator(".frame").first
    expect(frame).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    kept = frame.bounding_box()
    pictures_made(page, 1)
    assert page.locator(".media img").bounding_box() == kept


def test_under_the_result_stand_cost_time_seed_and_what_to_do_next(page: Page) -> None:
    page.get_by_role("tab", name="JSON").click()
    page.get_by_label("Parameters as JSON").fill(
        json.dumps({"prompt": unique("facts"), "seed": 77})
    )
    generate(page)
    pictures_made(page, 1)
    facts = page.locator(".result-facts")
    expect(facts).to_contain_text(re.compile(r"\$0\.003.*\d m?s.*seed 77", re.DOTALL))
    page.get_by_role("button", name="Copy the seed").click()
    assert page.evaluate("navigator.clipboard.readText()") == "77"
    page.get_by_role("button", name="Copy URL").click()
    address = page.evaluate("navigator.clipboard.readText()")
    assert web.get(address).status_code == 200
    page.get_by_role("button", name="Use as input").click()
    menu = page.get_by_role("group", name="Models that take it")
    expect(menu.get_by_role("link").first).to_be_focused()
    menu.get_by_role("link", name=re.compile("flux-dev")).click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("flux-dev")
    expect(page.get_by_role("textbox", name="Image", exact=True)).to_have_value(address)


def test_earlier_results_are_one_click_away(page: Page, stack: Stack, user: str) -> None:
    prompts = [unique("first"), unique("second")]
    jobs = [
        stack.api.run("flux-schnell", {"prompt": prompt, "num_outputs": 4}, user_id=user)
        for prompt in prompts
    ]
    page.reload()
    strip = page.get_by_role("region", name="Earlier results")
    strip.locator(f"[data-job='{jobs[0]['jobId']}']").click()
    pictures_made(page, 4)
    expect(page.locator(".media img").first).to_have_attribute("alt", f"{prompts[0]} 1 of 4")
    boxes = page.locator(".media img").evaluate_all(
        "all => all.map((each) => [each.getBoundingClientRect().left, each.getBoundingClientRect().top])"
    )
    assert len({round(left) for left, _ in boxes}) == len({round(top) for _, top in boxes}) == 2, (
        "a grid"
    )
    page.get_by_role("button", name="Use these settings").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(prompts[0])
    page.get_by_label("Prompt").fill(unique("third"))
    choose(page, "Number of outputs", "1")
    generate(page)
    pictures_made(page, 1)
    expect(strip.locator("[aria-current]")).to_have_count(1)
    expect(strip.locator("button").first).to_have_attribute("aria-current", "true")


def test_on_a_phone_the_picture_is_in_view_when_it_comes(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.get_by_label("Prompt").fill(unique("small"))
    page.get_by_text("Settings").click()
    generate(page)
    pictures_made(page, 1)
    page.wait_for_function(
        "() => { const box = document.querySelector('.media img').getBoundingClientRect();"
        " return box.top >= 0 && box.bottom <= innerHeight; }"
    )


def test_a_file_of_this_machine_becomes_an_input(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "first.png"
    file.write_bytes(image_file("PNG", 512, 288))
    page.get_by_label("Model", exact=True).select_option("stability-video")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose an image").click()
    chooser.value.set_files(file)
    expect(page.get_by_text("first.png is there.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Image", exact=True)).to_have_value(
        re.compile("^upload:")
    )
    page.wait_for_function("() => document.querySelector('.preview img')?.naturalWidth === 512")
    generate(page)
    expect(page.locator(".media video")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.media video').readyState >= 1")


# A file in the page's own memory, as a drop or a paste brings it.
_BRING = """async ([kind, selector, type]) => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  const data = new DataTransfer();
  data.items.add(new File([blob], 'brought.png', {type}));
  const target = document.querySelector(selector);
  const event = kind === 'drop'
    ? new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})
    : new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
  target.dispatchEvent(event);
}"""


@pytest.mark.parametrize(
    ("kind", "selector"), [("drop", ".media-input"), ("paste", "#parameter-prompt")]
)
def test_a_file_is_dropped_or_pasted(page: Page, kind: str, selector: str) -> None:
    page.get_by_label("Model", exact=True).select_option("flux-dev")
    page.locator(".media-input").wait_for()
    page.evaluate(_BRING, [kind, ".media-input", "text/plain"])
    if kind == "drop":
        expect(page.get_by_text("brought.png is no image.")).to_be_visible()
    page.evaluate(_BRING, [kind, selector, "image/png"])
    expect(page.get_by_text("brought.png is there.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Image", exact=True)).to_have_value(
        re.compile("^upload:")
    )
    page.get_by_role("button", name="Take it out").click()
    expect(page.get_by_role("textbox", name="Image", exact=True)).to_have_value("")


def test_a_full_budget_refuses_and_shows_what_is_left(page: Page, stack: Stack) -> None:
    user = unique("budget").replace(" ", "-")
    limit = {"period": "day", "limit": "0.004"}
    web.put(f"{stack.api.url}/budgets/{user}", json=limit).raise_for_status()
    page.evaluate("user => localStorage.setItem('vsl.userId', user)", user)
    page.reload()
    expect(page.locator(".left")).to_have_text("You may spend $0.004 today")
    page.get_by_label("Prompt").fill(unique("the last"))
    generate(page)
    pictures_made(page, 1)
    expect(page.locator(".left")).to_have_text("You may spend $0.001 today")
    expect(page.locator(".estimate")).to_contain_text("more than is left")
    generate(page)
    expect(page.get_by_role("alert").filter(has_text="only $0.001 are left")).to_be_visible()
    page.get_by_role("link", name="See your budgets").click()
    expect(page.get_by_role("img", name="$0.003 spent, $0.001 of $0.004 left")).to_be_visible()
    expect(page.get_by_role("group", name="Table by model")).to_contain_text("flux-schnell")
    picture(page, "spend")


def test_the_place_in_the_queue_is_told_as_it_moves(page: Page, stack: Stack, user: str) -> None:
    ended = stack.api.run("flux-schnell", {"prompt": unique("queued")}, user_id=user)
    told = {"place": 4}

    def answer(route: Route) -> None:
        place = told["place"]
        job = {**ended, "queuePosition": place or None}
        if place:
            job |= {
                "status": "pending",
                "completedAt": None,
                "estimatedStart": "2099-01-01T00:00:00.000Z",
            }
        route.fulfill(json=job)

    page.route(re.compile(f"/status/{ended['jobId']}"), answer)
    page.route(
        "**/generate-media", lambda route: route.fulfill(status=202, json={"jobId": ended["jobId"]})
    )
    page.get_by_label("Prompt").fill("queued")
    generate(page)
    for place in (4, 3, 2):
        told["place"] = place
        expect(page.locator(".place")).to_contain_text(f"position {place}")
    told["place"] = 0
    pictures_made(page, 1)


def test_the_form_of_another_model_is_gone_until_the_chosen_one_is_there(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/models/minimax-video-01", hold)
    page.get_by_label("Prompt").fill("kept")
    with page.expect_request("**/models/minimax-video-01"):
        page.get_by_label("Model", exact=True).select_option("minimax-video-01")
    expect(page.get_by_role("button", name="Generate")).to_have_count(0)
    expect(page.get_by_label("Prompt")).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_label("Prompt", exact=False).first).to_have_value("kept")


def test_a_running_job_is_canceled(page: Page, stack: Stack) -> None:
    prompt = unique("a fox")
    # It runs until it is canceled, however slow the browser is.
    stack.control.faults(PredictionSlow(running=3600, match=Match(prompt=prompt)))
    page.get_by_label("Model", exact=True).select_option("minimax-video-01")
    page.get_by_label("Prompt", exact=False).first.fill(prompt)
    generate(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The job was canceled.")).to_be_visible()
    job_id = str(page.get_by_role("link", name="Open the job").get_attribute("href")).rpartition(
        "/"
    )[2]
    assert stack.api.status(job_id)["status"] == "canceled"


@pytest.mark.parametrize("place", ["/?from=..", "/?from=%"])
def test_an_address_that_names_no_job_leads_back(page: Page, place: str) -> None:
    at(page, place)
    expect(page.get_by_text("There is no job with this id.")).to_be_visible()
    page.get_by_role("link", name="To the gallery").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
