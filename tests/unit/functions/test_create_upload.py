"""POST /uploads, as API Gateway calls it."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.create_upload.app import handler
from tests.support.lambda_context import Context
from tests.support.template import REPOSITORY
from vsl.domain.jobs.ids import created_at
from vsl.runtime import wiring
from vsl.runtime.settings import settings

EVENT = json.loads((REPOSITORY / "events/api/create_upload.json").read_text())


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    wiring.uploads.cache_clear()
    yield
    wiring.uploads.cache_clear()


def post(body: object, **event: Any) -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = handler({**EVENT, "body": text, **event}, Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_a_form_and_a_handle() -> None:
    status, body = post(json.loads(EVENT["body"]))
    assert status == 201
    assert body["handle"] == f"upload:{body['uploadId']}"
    assert body["fields"]["key"] == f"temp/uploads/user-1/{body['uploadId']}"
    assert body["fields"]["Content-Type"] == "image/png"
    assert body["maxBytes"] == 20 * 1024**2
    made, expires = created_at(body["uploadId"]), datetime.fromisoformat(body["expiresAt"])
    assert timedelta(seconds=590) < expires - made < timedelta(seconds=610)


def test_a_body_may_come_encoded() -> None:
    text = base64.b64encode(EVENT["body"].encode()).decode()
    assert post(text, isBase64Encoded=True)[0] == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("{", "body"),
        ("[]", "body"),
        ('{"userId": "a", "userId": "b", "contentType": "image/png"}', "userId"),
        ('{"userId": "a", "contentType": "image/png", "size": NaN}', "size"),
        ('{"userId": "half \\ud83d", "contentType": "image/png"}', "userId"),
        ('{"userId": {"a": ' + "[" * 100_000, "userId.a[0][0][0].…"),
        ('{"contentType": "image/png"}', "userId"),
        ('{"userId": "../x", "contentType": "image/png"}', "userId"),
        ('{"userId": {"a": 1}, "contentType": "image/png"}', "userId"),
        ('{"userId": "a", "contentType": "text/html"}', "contentType"),
        ('{"userId": "a", "contentType": "image/png", "__proto__": {}}', "__proto__"),
    ],
)
def test_what_is_wrong_is_named(body: str, field: str) -> None:
    status, problem = post(body)
    assert (status, problem["code"]) == (400, "InvalidRequest")
    assert [each["field"] for each in problem["fields"]] == [field]


def test_with_a_pool_the_user_is_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_AUTH", "COGNITO")
    settings.cache_clear()
    monkeypatch.setenv("COGNITO_CLIENT_IDS", "app-1")
    claims = {"sub": "token-user", "aud": "app-1", "token_use": "id"}
    context = {"requestContext": {"authorizer": {"claims": claims}}}
    status, body = post({"contentType": "image/png"}, **context)
    assert status == 201
    assert body["fields"]["key"].startswith("temp/uploads/token-user/")
    status, problem = post({"userId": "other", "contentType": "image/png"}, **context)
    assert (status, problem["code"]) == (403, "Forbidden")
    claims["aud"] = "app-2"
    status, problem = post({"contentType": "image/png"}, **context)
    assert (status, problem["code"]) == (403, "Forbidden")


def test_the_user_is_named_in_the_body_alone() -> None:
    status, problem = post({"contentType": "image/png"}, queryStringParameters={"userId": "ann"})
    assert (status, problem["code"]) == (400, "InvalidRequest")
