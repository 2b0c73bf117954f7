"""Keys of the API: who gets in, for how long what was read counts, and what operators may do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.fakes import SteppedClock
from vsl.adapters.dynamodb.cached_api_keys import KEPT, LARGEST, CachedApiKeys
from vsl.domain.api.api_key import ApiKey, ApiKeyRefused, hash_secret, split_key
from vsl.domain.api.api_key_request import ApiKeyList
from vsl.domain.api.caller import Caller
from vsl.domain.errors import (
    Forbidden,
    InvalidRequest,
    KeyAlreadyCreated,
    KeyNotFound,
    StoreUnavailable,
)
from vsl.services.keys.authorize_key import AuthorizeKey
from vsl.services.keys.create_key import CreateKey
from vsl.services.keys.list_keys import ListKeys
from vsl.services.keys.revoke_key import RevokeKey

OPERATOR = Caller()


class MemoryApiKeys:
    def __init__(self) -> None:
        self.kept: dict[str, ApiKey] = {}
        self.reads = 0
        self.away = False

    def find(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("DynamoDB did not answer.")
        return self.kept.get(key_id)

    def create(self, key: ApiKey) -> bool:
        return self.kept.setdefault(key.key_id, key) is key

    def revoke(self, key_id: str, at: datetime) -> ApiKey | None:
        known = self.kept.get(key_id)
        if known is not None and known.revoked_at is None:
            known = ApiKey(
                key_id, known.secret_hash, known.created_at, known.user_id, revoked_at=at
            )
            self.kept[key_id] = known
        return known

    def page(self, wanted: ApiKeyList) -> tuple[list[ApiKey], str | None]:
        found = [key for key in self.kept.values() if wanted.owner in {None, key.user_id}]
        return found[: wanted.limit], None


@pytest.fixture
def keys() -> MemoryApiKeys:
    return MemoryApiKeys()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def make(keys: MemoryApiKeys, clock: SteppedClock) -> Callable[..., dict[str, Any]]:
    def made(idempotency_key: str | None = None, **body: Any) -> dict[str, Any]:
        return CreateKey(keys, clock)(idempotency_key, body, OPERATOR)

    return made


def bearer(key: str) -> dict[str, list[str]]:
    return {"authorization": [f"Bearer {key}"]}


def test_a_key_is_let_in_by_either_header_however_it_is_spelled(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    made = make(userId="ann")
    authorize = AuthorizeKey(keys, clock)
    for headers in (bearer(made["key"]), {"X-API-Key": [made["key"]]}):
        found = authorize(headers)
        assert (found.key_id, found.user_id) == (made["keyId"], "ann")


def test_what_is_kept_tells_no_secret(
    keys: MemoryApiKeys, make: Callable[..., dict[str, Any]]
) -> None:
    key_id, secret = split_key(make(userId="ann")["key"])
    assert keys.kept[key_id].secret_hash == hash_secret(secret)
    assert secret not in str(keys.kept)


def test_every_key_is_another(make: Callable[..., dict[str, Any]]) -> None:
    made = [make() for _ in range(20)]
    assert len({each["keyId"] for each in made}) == len({each["key"] for each in made}) == 20


def test_an_unknown_and_a_changed_key_are_refused(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    key = make()["key"]
    authorize = AuthorizeKey(keys, clock)
    changed = key[:-1] + ("A" if key[-1] != "A" else "B")
    with pytest.raises(ApiKeyRefused, match="wrong secret"):
        authorize(bearer(changed))
    keys.kept.clear()
    with pytest.raises(ApiKeyRefused, match="unknown"):
        authorize(bearer(key))
    others: list[dict[str, list[str]]] = [{}, bearer("x"), {"x-api-key": []}]
    for headers in others:
        with pytest.raises(ApiKeyRefused):
            authorize(headers)


def test_a_key_expires_though_it_was_read_before(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    key = make(expiresIn=10)["key"]
    authorize = AuthorizeKey(CachedApiKeys(keys, clock), clock)
    authorize(bearer(key))
    clock.advance(10)
    with pytest.raises(ApiKeyRefused, match="expired"):
        authorize(bearer(key))
    assert keys.reads == 1


def test_a_store_that_is_away_admits_nobody(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    key = make()["key"]
    authorize = AuthorizeKey(CachedApiKeys(keys, clock), clock)
    keys.away = True
    with pytest.raises(StoreUnavailable):
        authorize(bearer(key))
    keys.away = False
    authorize(bearer(key))
    keys.away = True
    clock.advance(KEPT.total_seconds() - 1)
    authorize(bearer(key))
    clock.advance(1)
    with pytest.raises(StoreUnavailable):
        authorize(bearer(key))


def test_a_revoked_key_is_good_for_half_a_minute_at_most(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    made = make()
    authorize = AuthorizeKey(CachedApiKeys(keys, clock), clock)
    authorize(bearer(made["key"]))
    RevokeKey(keys, clock)(made["keyId"], OPERATOR)
    clock.advance(KEPT.total_seconds())
    with pytest.raises(ApiKeyRefused, match="revoked"):
        authorize(bearer(made["key"]))
    assert timedelta(seconds=30) == KEPT, "docs/security.md says so"


def test_a_clock_that_was_set_back_keeps_nothing_longer(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    made = make()
    cached = CachedApiKeys(keys, clock)
    cached.find(made["keyId"])
    clock.advance(-3600)
    cached.find(made["keyId"])
    assert keys.reads == 2


def test_what_is_unknown_is_not_kept_and_what_is_known_is_bounded(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    cached = CachedApiKeys(keys, clock)
    assert cached.find("f" * 16) is None
    assert cached.find("f" * 16) is None
    assert keys.reads == 2
    made = [make()["keyId"] for _ in range(LARGEST + 1)]
    for key_id in made:
        cached.find(key_id)
    keys.reads = 0
    cached.find(made[-1])
    assert keys.reads == 0
    cached.find(made[0])
    assert keys.reads == 1


def test_the_same_idempotency_key_makes_one_key(
    keys: MemoryApiKeys, make: Callable[..., dict[str, Any]]
) -> None:
    first = make("k1", userId="ann")
    with pytest.raises(KeyAlreadyCreated) as caught:
        make("k1", userId="ann")
    assert caught.value.details == {"keyId": first["keyId"]}
    assert len(keys.kept) == 1
    assert make("k2")["keyId"] != first["keyId"]
    with pytest.raises(InvalidRequest):
        make("")


def test_keys_are_for_operators(keys: MemoryApiKeys, clock: SteppedClock) -> None:
    for caller in (Caller("ann"), Caller(None, "ann")):
        with pytest.raises(Forbidden):
            CreateKey(keys, clock)(None, {}, caller)
        with pytest.raises(Forbidden):
            ListKeys(keys, clock)({}, caller)
        with pytest.raises(Forbidden):
            RevokeKey(keys, clock)("f" * 16, caller)
    assert keys.kept == {}


def test_a_list_tells_how_keys_stand(
    keys: MemoryApiKeys, clock: SteppedClock, make: Callable[..., dict[str, Any]]
) -> None:
    make(userId="ann", expiresIn=10, project="shop")
    revoked = make(userId="bob")["keyId"]
    RevokeKey(keys, clock)(revoked, OPERATOR)
    clock.advance(10)
    found = ListKeys(keys, clock)({}, OPERATOR)
    assert [each["status"] for each in found["keys"]] == ["expired", "revoked"]
    (bobs,) = ListKeys(keys, clock)({"owner": "bob"}, OPERATOR)["keys"]
    assert (bobs["keyId"], bobs["userId"]) == (revoked, "bob")


@pytest.mark.parametrize("key_id", ["f" * 16, "", "../x", "F" * 16])
def test_what_is_no_key_cannot_be_revoked(
    keys: MemoryApiKeys, clock: SteppedClock, key_id: str
) -> None:
    with pytest.raises(KeyNotFound):
        RevokeKey(keys, clock)(key_id, OPERATOR)
