"""The page for operators: figures, axes, spend by user, the alarms' runbooks."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.api import unique
from tests.support.console import assert_accessible, at, operations_with, picture
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

_NOTHING = {"succeeded": 0, "failed": 0, "canceled": 0, "spend": "0"}


def test_hours_without_jobs_are_dropped_and_bars_stand_on_axes(page: Page, stack: Stack) -> None:
    hours = [{**_NOTHING, "hour": f"2026-11-29T{hour:02}:00:00.000Z"} for hour in range(24)]
    hours[3] |= {"succeeded": 7, "spend": "0.25"}
    hours[20] |= {"succeeded": 2, "failed": 1, "spend": "0.031"}
    operations_with(page, stack, byHour=hours)
    page.get_by_role("link", name="Operations").click()
    jobs = page.get_by_role("region", name="Jobs by hour").locator("svg")
    expect(jobs.locator(".column")).to_have_count(2)
    expect(jobs.locator(".gridline text")).to_have_text(["0", "5", "10"])
    expect(jobs.locator(".column title").nth(1)).to_contain_text(
        "2 succeeded, 1 failed, 0 canceled"
    )
    spend = page.get_by_role("region", name="Spend by hour").locator("svg")
    expect(spend.locator(".gridline text")).to_have_text(["$0.00", "$0.10", "$0.20", "$0.30"])


def test_many_hours_are_shown_by_day(page: Page, stack: Stack) -> None:
    hours = [
        {
            **_NOTHING,
            "hour": f"2026-11-{day:02}T{hour:02}:00:00.000Z",
            "succeeded": 1,
            "spend": "0.1",
        }
        for day in range(1, 11)
        for hour in range(24)
    ]
    operations_with(page, stack, byHour=hours)
    at(page, "/operations?hours=720")
    columns = page.get_by_role("region", name="Jobs by day").locator(".column")
    expect(columns).to_have_count(
        11
    )  # of the reader: there, UTC's ten days begin at one in the afternoon


def test_spend_is_told_by_user_and_model_with_ways_to_their_jobs(
    page: Page, stack: Stack, user: str
) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("spent")}, user_id=user)
    page.locator("#whose").click()
    page.get_by_label("Show the jobs of all users").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("region", name="Models")).to_contain_text("flux-schnell")
    row = page.get_by_role("region", name="Spend by user").get_by_role("row", name=user)
    expect(row).to_contain_text("$0.003")
    assert_accessible(page)
    picture(page, "operations")
    row.get_by_role("link").click()
    expect(page.locator(f"li[data-job='{job['jobId']}']")).to_be_visible()
    expect(page.get_by_label("User", exact=True)).to_have_value(user)


def test_what_waits_is_told(page: Page, stack: Stack) -> None:
    waiting = {
        "jobId": "01994a3c-0000-7000-8000-000000000000",
        "since": "2026-11-29T00:00:00.000Z",
        "seconds": 61,
    }
    jobs = {"pending": 3, "processing": 2, "storing": 1, "succeeded": 4, "failed": 0, "canceled": 0}
    operations_with(page, stack, oldestWaiting=waiting, jobs=jobs)
    page.get_by_role("link", name="Operations").click()
    tile = page.locator(".tile")
    expect(tile.filter(has_text="Oldest waiting")).to_contain_text("1 min 1 s")
    expect(tile.filter(has_text="Running now")).to_contain_text(
        "3 pending, 2 processing, 1 storing"
    )


def test_what_the_api_refused_stands_beside_job_success(page: Page, stack: Stack) -> None:
    """Ninety-two refused and eight good jobs are not a service that does well."""
    for _ in range(3):
        refused = stack.api.generate("flux-schnell", {"width": 1})
        assert refused.status_code == 400

    figures = until(lambda: stack.api.operations()["api"], lambda found: found["refused"] >= 3)
    assert figures["requests"] > figures["refused"]
    operations_with(
        page, stack, api={"requests": 100, "refused": 92, "faults": 1}, successRate=0.982
    )
    page.get_by_role("link", name="Operations").click()
    tile = page.locator(".tile")
    expect(tile.nth(0)).to_contain_text("98.2 %")
    expect(tile.nth(1)).to_contain_text("92")
    expect(tile.nth(1)).to_contain_text("1 failed (5xx), of 100 requests: 93.0 %")


def test_an_alarm_is_told_first_with_the_way_to_its_runbook(page: Page, stack: Stack) -> None:
    runbook = "https://example.com/operations#the-money-runs-away"
    alarms = [
        {
            "name": "spend",
            "state": "ALARM",
            "description": "It costs too much.",
            "runbook": runbook,
        },
        {"name": "poller-silent", "state": "OK", "description": "The poller.", "runbook": runbook},
    ]
    operations_with(page, stack, alarms=alarms)
    page.get_by_role("link", name="Operations").click()
    region = page.get_by_role("region", name="Alarms")
    expect(region.get_by_role("link", name="Runbook for spend")).to_have_attribute("href", runbook)
    expect(region.get_by_role("link", name="Runbook for poller-silent")).to_be_hidden()
    region.get_by_text("1 other is quiet").click()
    expect(region.get_by_role("link", name="Runbook for poller-silent")).to_be_visible()
    assert_accessible(page)
    picture(page, "operations-alarm")


def test_a_stage_whose_platform_does_not_tell_shows_the_rest(page: Page, stack: Stack) -> None:
    operations_with(page, stack, alarms=None, api=None)
    page.get_by_role("link", name="Operations").click()
    expect(page.locator(".tile").filter(has_text="Job success")).to_be_visible()
    expect(page.locator(".tile").filter(has_text="Refused at the API")).to_have_count(0)
    expect(page.get_by_role("region", name="Alarms")).to_have_count(0)
