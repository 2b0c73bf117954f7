"""The page of a job: title, error, parameters, callbacks, details, timeline."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from devstack.replicate.faults import FileFault, Match, PredictionFails
from tests.support import web
from tests.support.api import unique
from tests.support.console import assert_accessible, at, picture
from tests.support.receiver import receiver
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def timeline_of(stack: Stack, job_id: str) -> dict[str, object]:
    answer = web.get(f"{stack.api.url}/jobs/{job_id}/timeline")
    return dict(answer.json())


def test_a_long_prompt_is_clamped_and_copied_whole(page: Page, stack: Stack, user: str) -> None:
    prompt = unique("a very long story " * 40)
    job_id = stack.api.run("flux-schnell", {"prompt": prompt}, user_id=user)["jobId"]
    at(page, f"/jobs/{job_id}")
    name = page.get_by_role("heading", level=1)
    expect(name).to_have_text(prompt)
    expect(page.locator(".job-title .badge")).to_have_text("succeeded")
    low = name.bounding_box()
    page.get_by_role("button", name="Show all").click()
    high = name.bounding_box()
    assert low
    assert high
    assert high["height"] > 2 * low["height"]
    page.get_by_role("button", name="Copy the prompt").click()
    assert page.evaluate("navigator.clipboard.readText()") == prompt


def test_the_providers_error_is_told_in_full(page: Page, stack: Stack, user: str) -> None:
    prompt = unique("broken")
    words = "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 79.15 GiB total capacity)"
    stack.control.faults(PredictionFails(error=words, match=Match(prompt=prompt)))
    job_id = stack.api.run("flux-schnell", {"prompt": prompt}, user_id=user)["jobId"]
    at(page, f"/jobs/{job_id}")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("The model ran out of memory")
    expect(notice).to_contain_text("PredictionFailed")
    expect(page.get_by_label("What the provider said")).to_have_text(words)
    expect(page.locator(".bar.failed")).to_have_count(1)
    colour = page.locator(".bar.failed").evaluate("bar => getComputedStyle(bar).backgroundColor")
    assert colour == page.evaluate(
        "() => { const probe = document.createElement('i'); probe.style.color = 'var(--bad-mark)';"
        " document.body.append(probe); return getComputedStyle(probe).color; }"
    )
    assert_accessible(page)
    picture(page, "job-failed")


def test_parameters_are_json_and_run_again(page: Page, stack: Stack, user: str) -> None:
    prompt = unique("again")
    parameters = {"prompt": prompt, "seed": 9, "width": 512, "height": 768}
    job_id = stack.api.run("flux-schnell", parameters, user_id=user)["jobId"]
    at(page, f"/jobs/{job_id}")
    page.get_by_role("button", name="Copy the parameters").click()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert parameters.items() <= copied.items()
    page.get_by_role("link", name="Run again").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(prompt)
    expect(page.get_by_role("radio", name="2:3")).to_be_checked()


def test_details_are_folded(page: Page, stack: Stack, user: str) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("details")}, user_id=user)
    at(page, f"/jobs/{job['jobId']}")
    digest = page.get_by_text(job["result"]["sha256"])
    expect(page.locator(".fold summary")).to_be_visible()
    expect(digest).to_be_hidden()
    page.locator(".fold summary").click()
    expect(digest).to_be_visible()
    expect(page.get_by_text(job["result"]["s3Path"])).to_be_visible()
    expect(page.get_by_text(job["jobId"], exact=True)).to_be_visible()


_STEPS = {  # seconds of each; ours below 100 ms are folded
    "validate": ("workflow", 0.02),
    "rate_limit": ("workflow", 0.03),
    "start": ("workflow", 0.15),
    "submit": ("workflow", 0.09),
    "queue": ("provider", 0.05),
    "run": ("provider", 7.0),
    "notify": ("webhook", 0.04),
    "wake": ("workflow", 0.06),
    "store": ("workflow", 1.2),
}


def test_the_waterfall_has_an_axis_folds_short_steps_and_tells_money(
    page: Page, stack: Stack, user: str
) -> None:
    job_id = stack.api.run("flux-schnell", {"prompt": unique("timeline")}, user_id=user)["jobId"]
    document = timeline_of(stack, job_id)
    at_second, segments = 0.0, []
    for name, (actor, seconds) in _STEPS.items():
        stamps = [
            f"2026-11-29T10:00:{second:06.3f}Z" for second in (at_second, at_second + seconds)
        ]
        segments.append(
            {
                "name": name,
                "actor": actor,
                "seconds": seconds,
                "start": stamps[0],
                "end": stamps[1],
                "detail": {},
            }
        )
        at_second += seconds
    money = [
        {
            "name": name,
            "at": f"2026-11-29T10:00:{second}Z",
            "source": "money",
            "detail": {"amount": "0.003"},
        }
        for name, second in (("hold", "00.100"), ("charge", "08.500"))
    ]
    document |= {
        "segments": segments,
        "wallTime": at_second,
        "createdAt": segments[0]["start"],
        "events": money,
    }
    page.route(f"**/jobs/{job_id}/timeline*", lambda route: route.fulfill(json=document))
    at(page, f"/jobs/{job_id}")
    chart = page.get_by_role("table", name="Where the time went")
    expect(chart.get_by_role("rowheader")).to_have_text(
        ["4 short steps", "Start", "Queue", "Run", "Notify", "Store", "Money"]
    )
    expect(chart.get_by_role("row", name="4 short steps").locator(".bar")).to_have_count(4)
    expect(chart.get_by_role("row", name="4 short steps")).to_contain_text("200 ms")
    expect(page.locator(".ticks span")).to_have_text(["0", "2 s", "4 s", "6 s", "8 s"])
    left = {
        name: chart.locator(f".of-{name}").evaluate("bar => bar.getBoundingClientRect().left")
        for name in ("run", "store")
    }
    lane = chart.locator(".lane").first.bounding_box()
    assert lane
    assert left["run"] == pytest.approx(lane["x"] + lane["width"] * 0.34 / at_second, abs=2)
    assert left["store"] == pytest.approx(lane["x"] + lane["width"] * 7.44 / at_second, abs=2)
    expect(chart.get_by_role("row", name="Money")).to_contain_text("$0.003 held, $0.003 charged")
    expect(page.locator(".moved")).to_have_count(2)
    chart.get_by_role("row", name="Run", exact=False).hover()
    expect(page.locator(".tip")).to_contain_text(
        "10:00:00.340 to 10:00:07.340 UTC · the model worked"
    )
    chart.get_by_role("row", name="4 short steps").hover()
    expect(page.locator(".tip")).to_contain_text("Wake 60 ms")
    assert_accessible(page)
    picture(page, "waterfall")


def test_a_file_that_is_not_media_is_there_to_download(page: Page, stack: Stack, user: str) -> None:
    prompt = unique("a page in place of a picture")
    stack.control.faults(FileFault(kind="wrong_type", match=Match(prompt=prompt)))
    status = stack.api.run("flux-schnell", {"prompt": prompt}, user_id=user)
    at(page, f"/jobs/{status['jobId']}")
    expect(page.locator(".media").get_by_role("link", name="Download")).to_be_visible()
    expect(page.locator(".media img")).to_have_count(0)


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
        calls = page.get_by_role("region", name="Callbacks")
        expect(calls.get_by_text(client.origin)).to_be_visible()
        expect(calls.get_by_text("500 · answer 500")).to_be_visible()
        page.get_by_role("button", name="Call again").click()
        expect(calls.get_by_role("cell", name="1, asked for")).to_be_visible()
        assert len(client.of("/")) == 3
    expect(calls.locator(".badge.delivered")).to_have_count(2)
    assert_accessible(page)
    picture(page, "callbacks")


@pytest.mark.parametrize(
    "place",
    [
        "/jobs/01994a3c-0000-7000-8000-000000000000",
        "/jobs/%",
        "/jobs/%E0%A4%A",
        "/jobs/..",
        "/jobs/%2E%2E",
        "/jobs/x",
    ],
)
def test_a_job_that_is_not_there_leads_back(page: Page, place: str) -> None:
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
    page.route(re.compile(f"/status/{job_id}"), answer)
    at(page, f"/jobs/{job_id}")
    expect(page.get_by_label("Progress")).to_be_visible()
    for asked in (1, 2, 3):
        page.evaluate("async () => { for (let n = 0; n < 10; n += 1) await fetch('../models'); }")
        assert len(held) == asked
        page.clock.run_for(2000)
