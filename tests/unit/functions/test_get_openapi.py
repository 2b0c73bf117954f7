"""GET /openapi.json and GET /docs, as API Gateway calls them."""

import json
from html.parser import HTMLParser

import pytest

from functions.get_openapi import app
from tests.support.lambda_context import Context
from tests.support.template import REPOSITORY
from vsl.runtime.handler import Response
from vsl.runtime.reference_page import RENDERER

SITE = REPOSITORY / "functions/get_openapi/site"
FILES = sorted(path.name for path in SITE.iterdir())
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_RESPONSE_BYTES = 6 * 1024 * 1024


@pytest.fixture(autouse=True)
def homolog(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "homolog")
    monkeypatch.setenv("API_AUTH", "COGNITO")
    monkeypatch.setenv("API_DOMAIN", "execute-api.us-east-1.amazonaws.com")


class Page(HTMLParser):
    """What a page is made of; raises when an element is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]

    def of(self, tag: str, name: str) -> str:
        (value,) = (
            found for each, attribute, found in self.attributes if (each, attribute) == (tag, name)
        )
        return value


def ask(
    resource: str,
    file: str | None = None,
    headers: dict[str, str] | None = None,
    path: str = "",
) -> Response:
    event = json.loads((REPOSITORY / "events/api/get_openapi.json").read_text())
    event["resource"] = resource
    event["requestContext"]["path"] = path or f"/homolog{resource}"
    event["pathParameters"] = None if file is None else {"file": file}
    event["headers"] |= headers or {}
    return app.handler(event, Context())


def test_the_document_names_the_address_it_was_asked_at() -> None:
    answer = ask("/openapi.json")
    assert answer["headers"]["Content-Type"] == "application/json"
    document = json.loads(answer["body"])
    address = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/homolog"
    assert document["servers"] == [{"url": address}]
    assert document["components"]["securitySchemes"]["Caller"]["name"] == "Authorization"


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "x-forwarded-proto", "Host"])
def test_no_header_becomes_the_address(name: str) -> None:
    event = json.loads((REPOSITORY / "events/api/get_openapi.json").read_text())
    event["headers"][name] = "https://evil.example/?"
    event["requestContext"] |= {"domainName": "evil.example", "path": "//evil.example/openapi.json"}
    assert "evil" not in app.handler(event, Context())["body"]


def test_the_page_is_a_page() -> None:
    answer = ask("/docs")
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert answer["body"].startswith("<!doctype html>")
    page = Page(answer["body"])
    assert ("html", "lang", "en") in page.attributes
    assert {"h1", "noscript"} <= set(page.tags)
    assert "This page needs JavaScript" in page.words


def test_the_page_loads_files_of_this_api_alone() -> None:
    page = Page(ask("/docs")["body"])
    loaded = [*page.values("src"), page.of("div", "data-document")]
    loaded += [value for tag, name, value in page.attributes if (tag, name) == ("link", "href")]
    assert all(address.startswith("/homolog/") for address in loaded)
    for address in loaded:
        resource, _, name = address.removeprefix("/homolog").rpartition("/")
        if resource == "/docs":
            assert ask("/docs/{file}", name)["statusCode"] == 200, name
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert "style" not in page.tags
    assert page.tags.count("script") == len(page.values("src")), "no script stands in the page"


@pytest.mark.parametrize("resource", ["/docs", "/docs/{file}"])
def test_the_policy_lets_no_other_host_be_asked_and_no_inline_script_run(resource: str) -> None:
    policy = ask(resource, RENDERER)["headers"]["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    own = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("script-src") == "'self'"
    assert rules.pop("connect-src") == f"'self' {own}"
    assert rules.pop("style-src") == "'self' 'unsafe-inline'"
    assert rules.pop("img-src") == "'self' data:"
    assert set(rules.values()) == {"'none'"}
    assert rules.keys() == {"base-uri", "form-action", "frame-ancestors"}


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/homolog/docs", "/homolog"),
        ("/docs", ""),
        ("/docs/", ""),
        ("//docs", ""),
        ("//evil.example/docs", "/evil.example"),
        ('/"><script>alert(1)</script>/docs', "/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_addresses_follow_the_page_and_never_leave_the_host(path: str, root: str) -> None:
    body = ask("/docs", path=path)["body"]
    assert f'src="{root}/docs/page.js"' in body
    assert f'data-document="{root}/openapi.json"' in body
    assert "<script>" not in body


@pytest.mark.parametrize("auth", ["API_KEY", "COGNITO", "IAM", "NONE"])
def test_the_page_offers_to_try_what_a_page_can_send(
    monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    monkeypatch.setenv("API_AUTH", auth)
    page = Page(ask("/docs")["body"])
    assert page.of("div", "data-try-it") == ("false" if auth == "IAM" else "true")
    assert ("SigV4" in page.words) == (auth == "IAM")


def test_the_renderer_is_kept_for_good_and_other_files_are_asked_about() -> None:
    for name in FILES:
        answer = ask("/docs/{file}", name)
        assert answer["statusCode"] == 200
        same = answer["body"].encode() == (SITE / name).read_bytes()
        assert same, name  # no megabytes in a report
        caching = answer["headers"]["Cache-Control"]
        assert caching == (
            "public, max-age=31536000, immutable" if name == RENDERER else "no-cache"
        )
        again = ask("/docs/{file}", name, {"If-None-Match": answer["headers"]["ETag"]})
        assert (again["statusCode"], again["body"]) == (304, "")


@pytest.mark.parametrize("name", ["", "app.py", "openapi.json", "../app.py", "..%2fapp.py", "site"])
def test_nothing_else_is_handed_out(name: str) -> None:
    answer = ask("/docs/{file}", name)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == "FileNotFound"


def test_the_largest_answer_fits_into_a_response_of_lambda() -> None:
    largest = max(len(json.dumps(ask("/docs/{file}", name)).encode()) for name in FILES)
    assert 4_000_000 < largest < LAMBDA_RESPONSE_BYTES
