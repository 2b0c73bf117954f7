"""GET /console and its files, as API Gateway calls them."""

import gzip
import json
import re
from pathlib import Path

import pytest

from functions.get_console import app
from tests.support.lambda_context import Context
from tests.support.template import REPOSITORY
from vsl.runtime.handler import Response

SITE = REPOSITORY / "functions/get_console/site"
FILES = sorted(path.name for path in SITE.iterdir())
FIRST_LOAD_BYTES = 200_000


def ask(name: str, headers: dict[str, str] | None = None, version: str | None = None) -> Response:
    event = json.loads((REPOSITORY / "events/api/get_console.json").read_text())
    event["pathParameters"] = {"file": name} | ({"version": version} if version else {})
    event["headers"] |= headers or {}
    return app.handler(event, Context())


def test_the_front_door_leads_to_the_page_wherever_the_api_stands() -> None:
    for path, page in (
        ("/homolog/console", "/homolog/console/index.html"),
        ("/console/", "/console/index.html"),
        ("//console", "/console/index.html"),
        ("//evil.example/console", "/evil.example/console/index.html"),
    ):
        event = {"pathParameters": None, "requestContext": {"path": path}, "headers": {}}
        answer = app.handler(event, Context())
        assert answer["statusCode"] == 302
        assert answer["headers"]["Location"] == page


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_handed_out_with_its_type(name: str) -> None:
    answer = ask(name)
    assert answer["statusCode"] == 200
    assert answer["body"] == (SITE / name).read_text().replace("{version}", named_version())
    kind = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    expected = kind.get(Path(name).suffix, "text/html")
    assert answer["headers"]["Content-Type"].startswith(expected)
    again = ask(name, {"If-None-Match": answer["headers"]["ETag"]})
    assert (again["statusCode"], again["body"]) == (304, "")


def named_version() -> str:
    """By the page, for what it loads."""
    (version,) = set(re.findall(r'(?:href|src)="files/(\w+)/', ask("index.html")["body"]))
    return str(version)


def test_what_the_page_loads_is_kept_for_good() -> None:
    page = ask("index.html")
    assert page["headers"]["Cache-Control"] == "no-cache"
    assert not re.findall(r'(?:href|src)="(?!files/|#)', page["body"])
    for name in ("main.js", "style.css", "icon.svg"):
        answer = ask(name, version=named_version())
        assert answer["body"] == (SITE / name).read_text()
        assert answer["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"


def test_under_another_version_it_comes_and_is_not_kept() -> None:
    """A page that was open while the stage was deployed."""
    answer = ask("gallery.js", version="0123456789abcdef")
    assert answer["body"] == (SITE / "gallery.js").read_text()
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert ask("nothing.js", version=named_version())["statusCode"] == 404


@pytest.mark.parametrize("name", ["", "app.py", "../app.py", "..%2fapp.py", "nothing.js", "site"])
def test_nothing_else_is(name: str) -> None:
    answer = ask(name)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == "FileNotFound"


def test_pages_run_no_script_but_their_own() -> None:
    policy = ask("index.html")["headers"]["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "http:" not in policy.replace("https:", "")
    for name in FILES:
        text = (SITE / name).read_text()
        outside = re.findall(r"""(?:src|href|from|import)\s*[=(]?\s*["'](https?:)?//""", text)
        assert not outside, f"{name} loads from elsewhere"
        assert "innerHTML" not in text, f"{name}: text is text"


def test_the_whole_console_is_small() -> None:
    """As API Gateway sends it: each file compressed by itself."""
    assert sum(len(gzip.compress((SITE / name).read_bytes())) for name in FILES) < FIRST_LOAD_BYTES


def test_what_the_first_page_imports_is_fetched_at_once() -> None:
    """Else a browser learns of each module when the one before has come."""
    wanted: set[str] = set()
    found = ["main.js", "playground.js"]
    while found:
        name = found.pop()
        if name not in wanted:
            wanted.add(name)
            found += re.findall(
                r'^import .* from "\./(\w+\.js)";$', (SITE / name).read_text(), re.MULTILINE
            )
    page = (SITE / "index.html").read_text()
    ahead = re.findall(r'"modulepreload" href="files/{version}/(.*)"', page)
    assert set(ahead) == wanted - {"main.js"}


def test_every_file_is_used() -> None:
    texts = {name: (SITE / name).read_text() for name in FILES}
    for name in set(FILES) - {"index.html"}:
        assert any(name in text for other, text in texts.items() if other != name), name
