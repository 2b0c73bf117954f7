"""Keys of the API in DynamoDB (moto)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.jobs import create_table
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.api_keys import KEPT_SECONDS, DynamoApiKeys
from vsl.domain.api.api_key import ApiKey, hash_secret
from vsl.domain.api.api_key_request import ApiKeyList
from vsl.domain.errors import ConfigurationError

NOW = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)
TABLE = "api-keys"


@pytest.fixture
def keys() -> Iterator[DynamoApiKeys]:
    with mock_aws():
        clients.forget()
        create_table(boto3.client("dynamodb"), "ApiKeysTable", TABLE)
        yield DynamoApiKeys(TABLE)
        clients.forget()


def key(number: int = 1, **changes: Any) -> ApiKey:
    given: dict[str, Any] = {"user_id": "ann", "project": "shop", "created_at": NOW, **changes}
    return ApiKey(f"{number:016x}", hash_secret(f"secret {number}"), **given)


def item(number: int = 1) -> dict[str, Any]:
    found = boto3.client("dynamodb").get_item(
        TableName=TABLE, Key={"keyId": {"S": f"{number:016x}"}}
    )
    return dict(found["Item"])


def listed(keys: DynamoApiKeys, owner: str | None = None, limit: int = 100) -> list[ApiKey]:
    found: list[ApiKey] = []
    after: str | None = None
    while True:
        page, after = keys.page(ApiKeyList(owner, limit, after))
        assert len(page) <= limit
        found += page
        if after is None:
            return found


def test_what_is_kept_is_what_was_made(keys: DynamoApiKeys) -> None:
    for made in (
        key(1, expires_at=NOW + timedelta(days=1)),
        key(2, user_id=None, project=None),
        key(3, dedupe_seconds=60),
    ):
        assert keys.create(made)
        assert keys.find(made.key_id) == made
    assert keys.find("f" * 16) is None


def test_the_secret_is_in_no_item(keys: DynamoApiKeys) -> None:
    keys.create(key())
    assert "secret 1" not in str(item())
    assert item()["secretHash"] == {"S": hash_secret("secret 1")}


def test_the_same_write_twice_is_a_success_and_another_key_is_none(keys: DynamoApiKeys) -> None:
    assert keys.create(key())
    assert keys.create(key()), "boto3 repeats a call whose answer was lost"
    other = ApiKey(key().key_id, hash_secret("other"), NOW)
    assert not keys.create(other)
    assert keys.find(key().key_id) == key()


def test_the_first_revocation_counts(keys: DynamoApiKeys) -> None:
    keys.create(key())
    for at in (NOW, NOW + timedelta(hours=1)):
        found = keys.revoke(key().key_id, at)
        assert found is not None
        assert found.revoked_at == NOW
    assert keys.revoke("f" * 16, NOW) is None
    assert keys.find("f" * 16) is None, "a revocation makes no key"


def test_a_key_that_ended_is_forgotten_a_while_later(keys: DynamoApiKeys) -> None:
    ends = NOW + timedelta(days=1)
    keys.create(key(1, expires_at=ends))
    keys.create(key(2))
    assert item(1)["ttl"] == {"N": str(int(ends.timestamp()) + KEPT_SECONDS)}
    assert "ttl" not in item(2)
    keys.revoke(key(2).key_id, NOW)
    assert item(2)["ttl"] == {"N": str(int(NOW.timestamp()) + KEPT_SECONDS)}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_bring_every_key_once(keys: DynamoApiKeys, limit: int) -> None:
    made = [key(n, user_id=None if n % 3 == 0 else f"user-{n % 3}") for n in range(1, 8)]
    for each in made:
        keys.create(each)
    found = listed(keys, limit=limit)
    assert sorted(each.key_id for each in found) == sorted(each.key_id for each in made)
    assert all(each.secret_hash == "" for each in found)
    mine = listed(keys, "user-1", limit)
    assert {each.key_id for each in mine} == {key(n).key_id for n in (1, 4, 7)}


def test_a_table_that_is_not_there_is_no_unknown_key(keys: DynamoApiKeys) -> None:
    with pytest.raises(ConfigurationError):
        DynamoApiKeys("elsewhere").find(key().key_id)
