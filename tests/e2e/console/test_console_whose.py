"""Who works here: always told, changed by operators, asked for where a stage needs a credential."""

import base64
import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support import web
from tests.support.api import unique
from tests.support.console import (
    PHONE,
    assert_accessible,
    assert_fits,
    at,
    operations_with,
    picture,
)
from tests.support.stack import Stack
from vsl.services.api.describe_api import DescribeApi

pytestmark = pytest.mark.e2e
_KEY = "the-right-key"


def token_of(claims: dict[str, str]) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.signature"


def guard(page: Page, stack: Stack, mode: str, header: str, accepted: str) -> None:
    """The API as a stage of this mode answers: nothing but its description without the credential."""
    document = web.get(f"{stack.api.url}/openapi.json").json()
    document = DescribeApi(document, mode)(stack.api.url)
    refusal = {"API_KEY": 403, "KEYS": 401, "COGNITO": 401, "IAM": 403}[mode]

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(stack.api.url).partition("?")[0]
        if path.startswith("/console"):
            route.continue_()
        elif path == "/openapi.json":
            route.fulfill(json=document)
        elif route.request.headers.get(header) == accepted:
            route.continue_()
        else:
            route.fulfill(
                status=refusal, json={"code": "Forbidden", "detail": "The key is missing or wrong."}
            )

    page.route(f"{stack.api.url}/**", answer)


def work_as(page: Page, user: str) -> None:
    page.locator("#whose").click()
    page.get_by_label("User id").fill(user)


def test_the_user_is_always_told_and_an_operator_may_be_another(
    page: Page, stack: Stack, user: str
) -> None:
    stack.api.run("flux-schnell", {"prompt": unique("mine")}, user_id=user)
    who = page.get_by_role("banner").locator("#whose")
    for place in ("/", "/jobs", "/spend", "/operations"):
        at(page, place)
        expect(who).to_contain_text(user)
        expect(who).to_contain_text("operator")
    other = unique("stranger").replace(" ", "-")
    work_as(page, other)
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(who).to_contain_text(other)
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", name="Nothing made yet")).to_be_visible()
    who.click()
    assert user in page.locator("#known-users option").evaluate_all(
        "all => all.map((each) => each.value)"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Enter a user id"),
        ("  ", "Enter a user id"),
        ("stage", "No user may be called stage"),
        ("a b", "Use up to 128"),
    ],
)
def test_a_user_id_that_is_none_is_an_error(page: Page, user: str, text: str, said: str) -> None:
    work_as(page, text)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_label("User id")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#whose")).to_contain_text(user)


def test_an_operator_sees_the_jobs_of_all_and_of_any(page: Page, stack: Stack, user: str) -> None:
    other = unique("other").replace(" ", "-")
    mine = stack.api.run("flux-schnell", {"prompt": unique("mine")}, user_id=user)["jobId"]
    theirs = stack.api.run("flux-schnell", {"prompt": unique("theirs")}, user_id=other)["jobId"]
    at(page, "/jobs")
    expect(page.locator(f"li[data-job='{mine}']")).to_be_visible()
    expect(page.locator(f"li[data-job='{theirs}']")).to_have_count(0)
    page.locator("#whose").click()
    page.get_by_label("Show the jobs of all users").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#whose")).to_contain_text("all users shown")
    expect(page.locator(f"li[data-job='{theirs}']")).to_contain_text(other)
    expect(page.locator(f"li[data-job='{mine}']")).to_be_visible()
    page.get_by_label("User", exact=True).fill(other)
    expect(page.locator(f"li[data-job='{mine}']")).to_have_count(0)
    expect(page.locator(f"li[data-job='{theirs}']")).to_be_visible()


def test_a_link_from_operations_opens_every_users_job(page: Page, stack: Stack) -> None:
    other = unique("other").replace(" ", "-")
    job_id = stack.api.run("flux-schnell", {"prompt": unique("theirs")}, user_id=other)["jobId"]
    waiting = {"jobId": job_id, "since": "2026-11-29T00:00:00.000Z", "seconds": 61}
    operations_with(page, stack, oldestWaiting=waiting)
    page.get_by_role("link", name="Operations").click()
    page.get_by_role("link", name="its job").click()
    expect(page.get_by_role("link", name="Run again")).to_be_visible()
    expect(page.get_by_text(f"of {other}")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()


def test_a_stage_that_needs_a_key_says_so_with_its_form(
    page: Page, stack: Stack, user: str
) -> None:
    guard(page, stack, "API_KEY", "x-api-key", _KEY)
    page.reload()
    expect(page.get_by_role("heading", name="This stage asks for an API key")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("alert").filter(has_text="refused")).to_have_count(0)
    key = page.get_by_label("API key")
    expect(key).to_be_focused()
    assert_accessible(page)
    picture(page, "sign-in-key")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Enter the API key.")).to_be_visible()
    key.fill("a wrong one")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("The last one was refused")).to_be_visible()
    page.get_by_label("API key").fill(_KEY)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    expect(page.locator("#whose")).to_contain_text(user)
    assert page.evaluate("sessionStorage.getItem('vsl.credential')") == _KEY


def test_a_stage_with_users_asks_for_a_token_and_tells_its_name(page: Page, stack: Stack) -> None:
    token = token_of({"sub": "0f2c", "email": "ann@example.com"})
    guard(page, stack, "COGNITO", "authorization", token)
    page.set_viewport_size(PHONE)
    page.reload()
    expect(page.get_by_role("heading", name="This stage asks you to sign in")).to_be_visible()
    expect(page.get_by_label("User id")).to_have_count(0)
    assert_fits(page, "the sign-in")
    picture(page, "sign-in-token")
    page.get_by_label("Identity token").fill(token)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#whose")).to_contain_text("ann@example.com")
    expect(page.locator("#whose")).to_contain_text("signed in")
    at(page, "/operations")
    expect(page.get_by_text("a user's token does not open them")).to_be_visible()
    page.locator("#whose").click()
    expect(page.get_by_text("You are signed in as ann@example.com")).to_be_visible()
    expect(page.get_by_label("User id")).to_have_count(0)


def test_a_users_key_needs_no_user_and_an_operators_key_takes_one(
    page: Page, stack: Stack, user: str
) -> None:
    guard(page, stack, "KEYS", "authorization", f"Bearer {_KEY}")
    page.reload()
    expect(page.get_by_role("heading", name="This stage asks for a key")).to_be_visible()
    expect(page.get_by_label("User id, with an operator's key")).to_have_value("")
    assert_accessible(page)
    picture(page, "sign-in-keys")
    page.get_by_label("Key", exact=True).fill(_KEY)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#whose")).to_contain_text("signed in")
    assert page.evaluate("sessionStorage.getItem('vsl.kind')") == "bearer"
    page.locator("#whose").click()
    page.get_by_role("button", name="Other key or token").click()
    page.get_by_label("Key", exact=True).fill(_KEY)
    page.get_by_label("User id, with an operator's key").fill("a b")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Use up to 128")).to_be_visible()
    page.get_by_label("User id, with an operator's key").fill(user)
    with page.expect_request(lambda sent: sent.headers.get("x-api-key") == _KEY):
        page.get_by_role("button", name="Continue").click()


def test_a_stage_of_signatures_names_the_command_line(page: Page, stack: Stack) -> None:
    guard(page, stack, "IAM", "authorization", "never")
    page.reload()
    expect(page.get_by_role("heading", name="This stage asks for IAM signatures")).to_be_visible()
    expect(page.get_by_text("vsl --stage STAGE")).to_be_visible()


def test_what_a_user_may_not_do_is_no_question_of_credentials(page: Page) -> None:
    refusal = {"code": "UnpricedModel", "detail": "This user may not run it."}
    page.route("**/generate-media", lambda route: route.fulfill(status=403, json=refusal))
    page.get_by_label("Prompt").fill("a fox")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert").filter(has_text="This user may not run it.")).to_be_visible()
    expect(page.get_by_label("API key")).to_have_count(0)


def test_a_refusal_is_asked_about_once(page: Page, stack: Stack) -> None:
    """Every request of a page is refused: one form appears, and stays."""
    guard(page, stack, "API_KEY", "x-api-key", _KEY)
    described: list[Any] = []
    page.on(
        "request",
        lambda request: described.append(request) if request.url.endswith("openapi.json") else None,
    )
    at(page, "/spend")
    page.reload()
    expect(page.get_by_label("API key")).to_be_focused()
    page.get_by_label("API key").press_sequentially("typed", delay=50)
    expect(page.get_by_label("API key")).to_have_value("typed")
    assert len(described) == 1
