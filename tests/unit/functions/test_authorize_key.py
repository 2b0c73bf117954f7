"""AuthorizeKey: what API Gateway reads of its answers."""

import importlib.util
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.jobs import create_table
from tests.support.template import REPOSITORY
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.api_keys import DynamoApiKeys
from vsl.domain.api.api_key import ApiKey, hash_secret, join_key
from vsl.domain.errors import ConfigurationError
from vsl.runtime import wiring
from vsl.runtime.settings import settings
from vsl.runtime.use_cases import keys as use_cases

EVENT = json.loads((REPOSITORY / "events/authorizer/authorize_key.json").read_text())
ID, SECRET = "0123456789abcdef", "s" * 43
CONTEXT: Any = SimpleNamespace(aws_request_id="r1")


def forget() -> None:
    settings.cache_clear()
    wiring.api_keys.cache_clear()
    use_cases.authorize_key.cache_clear()
    clients.forget()


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("CALLERS_TABLE", "keys")
    with mock_aws():
        forget()
        create_table(boto3.client("dynamodb"), "ApiKeysTable", "keys")
        spec = importlib.util.spec_from_file_location(
            "authorize_key", REPOSITORY / "functions" / "authorize_key" / "app.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
        forget()


def kept(user: str | None, window: int = 0) -> None:
    DynamoApiKeys("keys").create(
        ApiKey(ID, hash_secret(SECRET), datetime.now(UTC), user, dedupe_seconds=window)
    )


def event(key: str) -> dict[str, Any]:
    headers = {**EVENT["multiValueHeaders"], "Authorization": [f"Bearer {key}"]}
    return {**EVENT, "multiValueHeaders": headers}


@pytest.mark.parametrize(
    ("user", "window", "told"),
    [
        ("ann", 0, {"userId": "ann"}),
        ("ann", 60, {"userId": "ann", "dedupeSeconds": "60"}),
        (None, 0, {}),
    ],
)
def test_a_good_key_opens_the_whole_stage_of_this_api(
    function: Any, user: str | None, window: int, told: dict[str, str]
) -> None:
    kept(user, window)
    answer = function.handler(event(join_key(ID, SECRET)), CONTEXT)
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/homolog/*",
    }
    assert answer["principalId"] == (user or ID)
    assert answer["context"] == {"keyId": ID, **told}


@pytest.mark.parametrize(
    "key", ["", "nonsense", join_key(ID, "t" * 43), join_key("f" * 16, SECRET)]
)
def test_any_other_key_is_the_one_message_that_means_401(
    function: Any, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept("ann")
    with pytest.raises(function.Unauthorized) as caught:
        function.handler(event(key), CONTEXT)
    assert str(caught.value) == "Unauthorized"
    assert SECRET not in "".join(capsys.readouterr())


def test_without_its_store_it_fails_and_admits_nobody(function: Any) -> None:
    boto3.client("dynamodb").delete_table(TableName="keys")
    with pytest.raises(ConfigurationError):
        function.handler(event(join_key(ID, SECRET)), CONTEXT)
