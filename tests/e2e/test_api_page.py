"""The page of the API in a real Chromium: nothing comes from elsewhere, and requests can be tried."""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    Route,
    expect,
)

from devstack.gateway.request import Request as GatewayRequest
from devstack.paths import python_of
from tests.support import web
from tests.support.api import unique
from tests.support.auth_gateways import AuthGateway, auth_gateway, deployed_environment
from tests.support.browser import fresh_page, kept_context
from tests.support.function_host import Host
from tests.support.stack import Stack
from vsl.services.api.describe_api import SCHEMES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

WAIT_MS = 20_000
MODES = ("API_KEY", "COGNITO", "IAM")
ESTIMATE = "post /models/{modelId}/estimate"
STATUS = "get /status/{jobId}"


@dataclass
class Visit:
    """A page, what it asked for, and what it or the browser complained of."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def tried(self, path: str) -> list[Request]:
        return [each for each in self.requests if each.url.partition("?")[0].endswith(path)]


@pytest.fixture(scope="module")
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    with kept_context(browser, stack.api.url, WAIT_MS) as opened:
        yield opened


@pytest.fixture
def visit(context: BrowserContext, stack: Stack) -> Iterator[Visit]:
    """Whatever leaves for another host, or is complained of in the console, fails the test."""
    found = visited(fresh_page(context))
    yield found
    found.page.close()
    elsewhere = [each.url for each in found.requests if not of_the_api(each.url, stack)]
    assert not elsewhere
    assert not found.complaints, found.complaints


def of_the_api(url: str, stack: Stack) -> bool:
    """`data:` is a picture in the page itself."""
    return url.startswith((f"{stack.api.url}/", "data:"))


def visited(page: Page) -> Visit:
    expect.set_options(timeout=WAIT_MS)
    found = Visit(page)
    found.page.on("request", lambda request: found.requests.append(request))  # noqa: PLW0108
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("console", lambda message: _complain(message, found.complaints))
    found.page.on("dialog", lambda dialog: found.complaints.append(dialog.message))
    return found


def _complain(message: Any, complaints: list[str]) -> None:
    """But for what the API refuses, which Chromium reports as an error as well."""
    if message.type in ("error", "warning") and "the server responded with" not in message.text:
        complaints.append(message.text)


def open_client(page: Page, route: str, summary: str) -> Locator:
    """The form that tries `route`."""
    page.get_by_role("link", name=summary).first.click()
    page.get_by_role("button", name=f"Test Request ({route})").click()
    dialog = page.get_by_role("dialog").first
    expect(dialog).to_be_visible()
    return dialog


def send(dialog: Locator) -> None:
    dialog.get_by_role("button", name=re.compile("^Send (get|post) request|^Send\b")).first.click()


def test_the_page_shows_every_operation_and_nothing_leaves(visit: Visit, stack: Stack) -> None:
    visit.page.goto("docs")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("VSL media generation")
    document = web.get(f"{stack.api.url}/openapi.json").json()
    contents = visit.page.get_by_role("complementary")
    for item in document["paths"].values():
        for verb, operation in item.items():
            link = contents.get_by_role("link").filter(has_text=operation["summary"])
            expect(link.filter(has_text=re.compile(verb[:3], re.IGNORECASE)).first).to_be_attached()
    for path in ("/docs", "/openapi.json", "/docs/page.js", "/docs/page.css"):
        assert visit.tried(path), path


def test_samples_are_curl_javascript_and_python(visit: Visit) -> None:
    page = visit.page
    page.goto("docs")
    chosen = page.get_by_role("button", name=re.compile("^Change code sample language")).first
    chosen.click()
    offered = page.get_by_role("option")
    expect(offered).to_have_text([re.compile(name) for name in ("Fetch", "Requests", "Curl")])
    offered.filter(has_text="Requests").click()
    expect(page.get_by_text("requests.post(").first).to_be_visible()


def test_a_request_can_be_tried(visit: Visit) -> None:
    visit.page.goto("docs")
    dialog = open_client(visit.page, ESTIMATE, "What a job would cost")
    send(dialog)
    expect(dialog.get_by_text("200 OK")).to_be_visible()
    expect(dialog.get_by_text('"estimatedCost"')).to_be_visible()
    (tried,) = visit.tried("/models/flux-schnell/estimate")
    assert json.loads(tried.post_data or "") == {"parameters": {"prompt": "a lighthouse at dusk"}}


def test_a_job_can_be_looked_at(visit: Visit, stack: Stack) -> None:
    status = stack.api.run("flux-schnell", {"prompt": unique("a pier")})
    visit.page.goto("docs")
    dialog = open_client(visit.page, STATUS, "How a job stands")
    fill(dialog, "jobId", status["jobId"])
    send(dialog)
    expect(dialog.get_by_text("200 OK")).to_be_visible()
    expect(dialog.get_by_text('"succeeded"')).to_be_visible()
    assert visit.tried(f"/status/{status['jobId']}")


def fill(dialog: Locator, name: str, value: str) -> None:
    row = dialog.get_by_role("row", name=f"Include {name} in request")
    row.get_by_role("combobox", name="Value").fill(value)


@pytest.fixture(scope="module")
def gateways(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, AuthGateway]]:
    """One front for each way to know callers, with the stack's own machines and stores behind it."""
    environment, folders = deployed_environment(stack)
    folder = tmp_path_factory.mktemp("gateways")
    python, log = python_of("functions"), folder / "functions.log"
    with ExitStack() as opened:
        hosts = {
            mode: opened.enter_context(Host(python, {**environment, "API_AUTH": mode}, log))
            for mode in MODES
        }
        yield {
            mode: auth_gateway(stack, mode, host, folders, folder / "identity.json")
            for mode, host in hosts.items()
        }


def at(visit: Visit, auth_gateway: AuthGateway, stack: Stack) -> None:
    """The stack's address is answered by `auth_gateway`."""
    visit.page.route(f"{stack.api.url}/**", lambda route: _answer(route, auth_gateway))


def _answer(route: Route, auth_gateway: AuthGateway) -> None:
    asked = route.request
    address = urlsplit(asked.url)
    given = {**asked.all_headers(), "Host": address.netloc}
    headers = tuple(pair for pair in given.items() if not pair[0].startswith(":"))
    body = asked.post_data_buffer or b""
    answer = auth_gateway.handle(
        GatewayRequest(asked.method, address.path, address.query, headers, body)
    )
    kept = {name: value for name, value in answer.headers if name != "Content-Encoding"}
    coded = any(name == "Content-Encoding" for name, _ in answer.headers)
    content = gzip.decompress(answer.body) if coded else answer.body
    route.fulfill(status=answer.status, headers=kept, body=content)


@pytest.mark.parametrize("mode", ["API_KEY", "COGNITO"])
def test_who_asks_is_stated_and_sent(
    visit: Visit, stack: Stack, gateways: dict[str, AuthGateway], mode: str
) -> None:
    page, scheme, who = visit.page, SCHEMES[mode], gateways[mode].of("user-1")
    at(visit, gateways[mode], stack)
    page.goto("docs")
    expect(page.get_by_role("group", name="Authentication")).to_contain_text(scheme["description"])
    dialog = open_client(page, ESTIMATE, "What a job would cost")
    send(dialog)
    refusal = {"API_KEY": "403 Forbidden", "COGNITO": "401 Unauthorized"}[mode]
    expect(dialog.get_by_text(refusal)).to_be_visible()
    credential = who.api_key if mode == "API_KEY" else who.identity.token(who.user)
    dialog.get_by_role("textbox", name="Value").first.fill(credential)
    send(dialog)
    expect(dialog.get_by_text("200 OK")).to_be_visible()
    tried = visit.tried("/models/flux-schnell/estimate")[-1]
    assert tried.all_headers()[scheme["name"].lower()] == credential
    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert credential not in kept, "a credential leaves with the page"


def test_a_signature_is_asked_for_and_nothing_can_be_tried(
    visit: Visit, stack: Stack, gateways: dict[str, AuthGateway]
) -> None:
    at(visit, gateways["IAM"], stack)
    page = visit.page
    page.goto("docs")
    expect(page.get_by_role("note")).to_contain_text("SigV4")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name="What a job would cost").first.click()
    expect(page.get_by_role("button", name=re.compile("^Change code")).first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Test Request"))).to_have_count(0)
    expect(page.get_by_role("button", name="Auth Required").first).to_be_visible()


def test_the_page_works_without_a_mouse(visit: Visit) -> None:
    page = visit.page
    page.goto("docs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    reach(page, "a", "What a job would cost")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What a job would cost").first).to_be_in_viewport()
    reach(page, "button", f"Test Request\n({ESTIMATE})")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog").first
    expect(dialog).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_text("200 OK")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def reach(page: Page, tag: str, words: str) -> None:
    """By the tabulator key, as far as there are elements."""
    for _ in range(400):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => [document.activeElement.tagName.toLowerCase(), document.activeElement.innerText]"
        )
        if found[0] == tag and str(found[1]).startswith(words):
            return
    raise AssertionError(f"{words!r} is not reached by the keyboard")


def test_text_of_the_document_is_text(visit: Visit, stack: Stack) -> None:
    """Descriptions are Markdown: what a stranger might get into them runs nothing and loads nothing."""
    evil = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"

    hostile = web.get(f"{stack.api.url}/openapi.json").json()
    hostile["info"] |= {"title": f"Title {evil}", "description": f"Words {evil}"}
    hostile["paths"]["/models"]["get"] |= {"summary": f"Summary {evil}", "description": evil}
    page = visit.page
    page.route("**/openapi.json", lambda route: route.fulfill(json=hostile))
    page.goto("docs")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Title {evil}")
    expect(page.get_by_text("Words").first).to_be_visible()
    page.get_by_role("link", name="Summary").first.click()
    expect(page.get_by_role("heading", name="Summary").first).to_be_in_viewport()
    assert page.evaluate("window.ran") is None
    assert page.locator("[onerror]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_every_width_and_theme(visit: Visit, width: int, theme: Literal["light", "dark"]) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    page.goto("docs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("body")).to_have_class(re.compile(rf"\b{theme}-mode\b"))
    assert page.evaluate("document.documentElement.scrollWidth") == width, (
        "nothing scrolls sideways"
    )
    ground = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    shades = [int(each) for each in re.findall(r"\d+", ground)[:3]]
    assert (sum(shades) < 300) == (theme == "dark"), ground
