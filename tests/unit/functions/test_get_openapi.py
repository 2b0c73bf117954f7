"""GET /openapi.json and GET /docs, as API Gateway calls them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.get_openapi import app
from tests.support.template import REPOSITORY
from vsl.runtime.settings import settings


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 3000


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "STAGE": "test",
        "API_AUTH": "COGNITO",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/test/",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def ask(resource: str) -> dict[str, Any]:
    event = json.loads((REPOSITORY / "events/api/get_openapi.json").read_text())
    event["resource"] = resource
    event["requestContext"]["path"] = f"/homolog{resource}"
    answered: dict[str, Any] = app.handler(event, Context())
    return answered


def test_the_document_names_the_address_it_was_asked_at() -> None:
    answer = ask("/openapi.json")
    assert answer["headers"]["Content-Type"] == "application/json"
    document = json.loads(answer["body"])
    address = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/homolog"
    assert document["servers"] == [{"url": address}]
    assert document["components"]["securitySchemes"]["Caller"]["name"] == "Authorization"


def test_the_page_is_a_page() -> None:
    answer = ask("/docs")
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert answer["headers"]["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer["body"].startswith("<!doctype html>")
