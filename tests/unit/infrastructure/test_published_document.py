"""What GET /openapi.json hands out is api/openapi.yaml without what is API Gateway's alone."""

import copy
import itertools
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from devstack.publish import PUBLISHED, SOURCE, published, text
from vsl.services.api_page import CONTENT_SECURITY_POLICY, STYLE, api_page
from vsl.services.describe_api import SCHEMES, describe_api

URL = "https://api.example.com/homolog"
WITHOUT_END = {"meta", "br", "hr", "img", "input", "link"}


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return loaded


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_the_published_document_is_up_to_date() -> None:
    current = text(published(yaml.safe_load(SOURCE.read_text())))
    assert PUBLISHED.read_text() == current, "run `make openapi` and commit what it writes"


def test_nothing_of_aws_is_left_in_it() -> None:
    names = set(keys(document()))
    assert not {name for name in names if name.startswith(("x-amazon", "Fn::")) or name == "Ref"}
    assert "options" not in names
    assert "arn:" not in PUBLISHED.read_text()


@pytest.mark.parametrize("auth", [*SCHEMES, "NONE"])
def test_it_is_valid_and_asks_what_the_deployment_asks(auth: str) -> None:
    source = document()
    before = copy.deepcopy(source)
    described = describe_api(source, URL, auth)
    assert source == before, "the document is read once a process"
    validate(json.loads(json.dumps(described)))
    assert described["servers"] == [{"url": URL}]
    asking = {
        f"{verb} {path}"
        for path, item in described["paths"].items()
        for verb, operation in item.items()
        if operation["security"]
    }
    if auth == "NONE":
        assert not asking
        assert "securitySchemes" not in described["components"]
    else:
        everything = {
            f"{verb} {path}" for path, item in described["paths"].items() for verb in item
        }
        assert {"post /webhook/replicate", "get /openapi.json", "get /docs"} <= everything - asking
        assert {"post /generate-media", "get /jobs", "delete /jobs/{jobId}"} <= asking
        assert described["components"]["securitySchemes"] == {"Caller": SCHEMES[auth]}


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
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def test_the_page_shows_every_operation_field_and_answer() -> None:
    described = describe_api(document(), URL, "API_KEY")
    html = api_page(described)
    page = Page(html)
    for path, item in described["paths"].items():
        for verb, operation in item.items():
            assert f"{verb.upper()}{path}" in page.words
            assert operation["operationId"] in page.values("id")
            shown = html.partition(f'<h2 id="{operation["operationId"]}">')[2].partition(
                "</section>"
            )[0]
            for status in operation["responses"]:
                assert f"<code>{status}</code>" in shown
    for name, schema in described["components"]["schemas"].items():
        assert f"schema-{name}" in page.values("id")
        for field in schema.get("properties", {}):
            assert field in page.words


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    html = api_page(describe_api(document(), URL, "API_KEY"))
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert html.count("<style>") == 1
    assert STYLE in html
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY


def test_the_page_can_be_found_through_without_eyes_or_mouse() -> None:
    page = Page(api_page(describe_api(document(), URL, "API_KEY")))
    assert ("html", "lang", "en") in page.attributes
    assert {"header", "nav", "main", "h1", "caption"} <= set(page.tags)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inside = [link.removeprefix("#") for link in page.values("href") if link.startswith("#")]
    assert set(inside) <= set(ids)
    assert set(page.values("aria-labelledby")) <= set(ids)
    assert page.tags.count("table") == page.tags.count("caption")
    assert set(page.values("scope")) == {"col"}
    headings = [int(tag[1]) for tag in page.tags if tag in {"h1", "h2", "h3", "h4"}]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))


def test_text_is_text_and_no_markup() -> None:
    described = describe_api(document(), URL + '/"><script>alert(1)</script>', "NONE")
    described["info"] = {**described["info"], "title": "<b>&", "description": "<script>"}
    html = api_page(described)
    assert "<script>" not in html
    assert "&lt;b&gt;&amp;" in html
    assert "need not say who asks" in html
