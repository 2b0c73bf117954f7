"""Keys that VSL minted: their shape, what opens and what does not, and what operators may ask."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vsl.domain.api.api_key import (
    SECRET_BYTES,
    ApiKey,
    ApiKeyRefused,
    given_key,
    hash_secret,
    join_key,
    split_key,
)
from vsl.domain.api.api_key_request import LONGEST_SECONDS, parse_key_list, parse_new_key
from vsl.domain.api.caller import Edge
from vsl.domain.errors import Forbidden, InvalidRequest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = "0123456789abcdef"
SECRET = "s" * 43


def key(**changes: Any) -> ApiKey:
    return ApiKey(ID, hash_secret(SECRET), NOW, **{"user_id": "ann", **changes})


def test_a_key_comes_apart_as_it_was_joined() -> None:
    for _ in range(50):  # a secret may have underscores of its own
        secret = secrets.token_urlsafe(SECRET_BYTES)
        assert split_key(join_key(ID, secret)) == (ID, secret)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vsl",
        SECRET,
        f"vsl_{ID}",
        f"vsl_{ID}_",
        f"vsl_{ID}_{SECRET[1:]}",
        f"vsl_{ID}_{SECRET}s",
        f"vsl_{ID.upper()}_{SECRET}",
        f"VSL_{ID}_{SECRET}",
        f"vsl_{ID}_{SECRET}\n",
        f" vsl_{ID}_{SECRET}",
        f"vsl_{ID}_{SECRET[1:]}ä",
        f"vsl_{ID}x_{SECRET}",
        f"vsl_{ID}_{SECRET},vsl_{ID}_{SECRET}",
    ],
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(ApiKeyRefused, match="malformed"):
        split_key(text)


@pytest.mark.parametrize(
    ("changes", "secret", "reason"),
    [
        ({}, "t" * 43, "wrong secret"),
        ({}, "", "wrong secret"),
        ({"secret_hash": ""}, SECRET, "wrong secret"),
        ({"revoked_at": NOW}, SECRET, "revoked"),
        ({"revoked_at": NOW + timedelta(days=1)}, SECRET, "revoked"),
        ({"expires_at": NOW}, SECRET, "expired"),
        ({"revoked_at": NOW}, "t" * 43, "wrong secret"),  # who has no secret learns nothing
    ],
)
def test_only_the_secret_of_a_good_key_opens(
    changes: dict[str, Any], secret: str, reason: str
) -> None:
    given = {"secret_hash": hash_secret(SECRET), "created_at": NOW, "user_id": "ann", **changes}
    with pytest.raises(ApiKeyRefused, match=reason):
        ApiKey(ID, **given).check(secret, NOW)


def test_a_good_key_opens_until_its_last_moment() -> None:
    key().check(SECRET, NOW)
    key(expires_at=NOW + timedelta(milliseconds=1)).check(SECRET, NOW)


def test_its_document_says_how_it_stands_and_nothing_of_the_secret() -> None:
    assert key().document(NOW)["status"] == "active"
    assert key(expires_at=NOW).document(NOW)["status"] == "expired"
    revoked = key(expires_at=NOW, revoked_at=NOW).document(NOW)
    assert revoked["status"] == "revoked"
    assert SECRET not in str(revoked)
    assert hash_secret(SECRET) not in str(revoked)


@pytest.mark.parametrize(
    ("authorizations", "api_keys"),
    [
        (["Bearer k"], []),
        (["bearer k"], []),
        (["BEARER  k "], []),
        ([], ["k"]),
        (["Bearer k"], ["k"]),
        (["Bearer k", "Bearer k"], ["k", " k"]),
    ],
)
def test_a_key_comes_in_either_header_or_in_both(
    authorizations: list[str], api_keys: list[str]
) -> None:
    assert given_key(authorizations, api_keys) == "k"


@pytest.mark.parametrize(
    ("authorizations", "api_keys"),
    [
        ([], []),
        (["Bearer k"], ["other"]),
        (["Bearer k", "Bearer other"], []),
        ([], ["k", "other"]),
        (["Basic k"], ["k"]),
        (["k"], ["k"]),
        ([""], ["k"]),
        (["Bearer k"], [""]),
    ],
)
def test_no_key_two_keys_and_another_scheme_are_refused(
    authorizations: list[str], api_keys: list[str]
) -> None:
    with pytest.raises(ApiKeyRefused):
        given_key(authorizations, api_keys)


def test_a_new_key_has_what_was_asked_for() -> None:
    assert parse_new_key({}, NOW).expires_at is None
    wanted = parse_new_key({"userId": "ann", "project": "shop", "expiresIn": 60}, NOW)
    assert (wanted.user_id, wanted.project) == ("ann", "shop")
    assert wanted.expires_at == NOW + timedelta(minutes=1)
    assert (wanted.dedupe_seconds, parse_new_key({"dedupeSeconds": 60}, NOW).dedupe_seconds) == (
        0,
        60,
    )
    at = {"expiresAt": "2026-03-02T00:00:00+01:00"}
    assert parse_new_key(at, NOW).expires_at == datetime(2026, 3, 1, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"userId": ""}, {"userId"}),
        ({"userId": "stage"}, {"userId"}),
        ({"userId": 7, "project": ""}, {"userId", "project"}),
        ({"project": "a\nb"}, {"project"}),
        ({"project": "x" * 101}, {"project"}),
        ({"project": "\ud800"}, {"project"}),
        ({"expiresIn": 0}, {"expiresIn"}),
        ({"expiresIn": True}, {"expiresIn"}),
        ({"expiresIn": 1.5}, {"expiresIn"}),
        ({"expiresIn": LONGEST_SECONDS + 1}, {"expiresIn"}),
        ({"expiresIn": 1, "expiresAt": "2026-03-02T00:00:00Z"}, {"expiresIn"}),
        ({"expiresAt": "2026-03-01T12:00:00Z"}, {"expiresAt"}),
        ({"expiresAt": "2026-03-02T00:00:00"}, {"expiresAt"}),
        ({"expiresAt": "9999-12-31T23:59:59-12:00"}, {"expiresAt"}),
        ({"expiresAt": 7}, {"expiresAt"}),
        ({"expires": "30d"}, {"expires"}),
        ({"dedupeSeconds": -1}, {"dedupeSeconds"}),
        ({"dedupeSeconds": None}, {"dedupeSeconds"}),
        ({"dedupeSeconds": True}, {"dedupeSeconds"}),
        ({"dedupeSeconds": 86_401}, {"dedupeSeconds"}),
    ],
)
def test_what_no_key_can_be_is_refused_by_field(body: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_new_key(body, NOW)
    assert {name for name, _ in caught.value.faults} == fields


@pytest.mark.parametrize(
    "query",
    [
        {"owner": "a b"},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"limit": "٣"},
        {"cursor": "x"},
    ],
)
def test_a_list_of_nothing_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        parse_key_list(query)


KEYS = Edge("KEYS")


def test_a_key_and_a_token_come_down_to_the_same_subject() -> None:
    token = {"claims": {"sub": "ann", "aud": "app", "token_use": "id"}}
    assert Edge("COGNITO", ["app"]).subject(token) == "ann"
    assert KEYS.subject({"keyId": ID, "userId": "ann"}) == "ann"
    assert KEYS.subject({"keyId": ID}) is None
    assert KEYS.subject({"keyId": ID, "userId": ""}) is None


@pytest.mark.parametrize("authorizer", [{}, {"keyId": ""}, {"userId": "ann"}, {"claims": "x"}])
def test_a_request_that_came_past_the_authorizer_is_nobodys(authorizer: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        KEYS.subject(authorizer)


@pytest.mark.parametrize("auth", ["API_KEY", "IAM", "NONE"])
def test_while_a_deployment_changes_the_mode_a_user_stays_a_user(auth: str) -> None:
    assert Edge(auth).subject({"keyId": ID, "userId": "ann"}) == "ann"
    with pytest.raises(Forbidden):
        Edge(auth).subject({"claims": {"sub": "ann", "aud": "app", "token_use": "id"}})
    assert Edge(auth).subject({}) is None
