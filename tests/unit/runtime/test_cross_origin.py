"""Browsers may read the answers of API functions, on the origins that are allowed."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from vsl.domain.errors import JobNotFound
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.settings import settings

NAMES = (
    "ETag,Idempotency-Replayed,Location,Preference-Applied,RateLimit,RateLimit-Policy,Retry-After"
)
EXPOSED = {"Access-Control-Expose-Headers": NAMES}
CONTEXT: Any = SimpleNamespace(aws_request_id="r1")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STAGE", "local")
    monkeypatch.setenv("API_AUTH", "NONE")
    monkeypatch.setenv("DYNAMODB_TABLE", "jobs")
    monkeypatch.setenv("SSM_PREFIX", "/vsl/local/")
    settings.cache_clear()
    yield
    settings.cache_clear()


@api
def works(_event: Event, _context: Context) -> Response:
    return answer(200, {})


@api
def refuses(_event: Event, _context: Context) -> Response:
    raise JobNotFound("There is no such job.")


@pytest.mark.parametrize("handler", [works, refuses])
@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ("*", "https://a.example", {"Access-Control-Allow-Origin": "*", **EXPOSED}),
        (
            "https://a.example, https://b.example",
            "https://b.example",
            {"Access-Control-Allow-Origin": "https://b.example", "Vary": "Origin", **EXPOSED},
        ),
        ("https://a.example", "https://evil.example", {"Vary": "Origin"}),
        ("*", None, {}),
        ("", "https://evil.example", {"Vary": "Origin"}),
    ],
)
def test_an_origin_is_answered_if_it_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
    handler: Any,
    allowed: str,
    origin: str | None,
    expected: dict[str, str],
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", allowed)
    headers = {"origin": origin} if origin else None
    response = handler({"headers": headers}, CONTEXT)
    cross_origin = {
        name: value
        for name, value in response["headers"].items()
        if name == "Vary" or name.startswith("Access-Control")
    }
    assert cross_origin == expected
