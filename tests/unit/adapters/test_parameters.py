"""How long a parameter is believed, and when SSM is asked again."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from vsl.adapters import parameters as adapter
from vsl.adapters.parameters import RENEW_SECONDS, TTL_SECONDS, Parameters, changed
from vsl.domain.errors import ConfigurationError, StoreUnavailable


class Store:
    """SSM and the clock: two pages, and `asked` counts the first."""

    def __init__(self) -> None:
        self.values = {"token": "one", "url": "here"}
        self.asked = 0
        self.away = False
        self.now = 1000.0

    def call(self, _service: str, _target: str, body: Mapping[str, Any]) -> dict[str, Any]:
        first = "NextToken" not in body
        self.asked += first
        if self.away:
            raise StoreUnavailable("SSM did not answer.")
        name = "token" if first else "url"
        page = [{"Name": f"/vsl/test/{n}", "Value": v} for n, v in self.values.items() if n == name]
        return {"Parameters": page, **({"NextToken": "2"} if first else {})}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store()
    monkeypatch.setattr(adapter, "call_json", store.call)
    monkeypatch.setattr(time, "monotonic", lambda: store.now)
    return store


def test_all_are_read_at_once_and_kept(store: Store) -> None:
    parameters = Parameters("/vsl/test")
    assert (parameters.get("token"), parameters.get("url")) == ("one", "here")
    assert store.asked == 1
    with pytest.raises(ConfigurationError, match="/vsl/test/missing"):
        parameters.get("missing")


def test_a_rotated_secret_is_picked_up_within_five_minutes(store: Store) -> None:
    secret = Parameters("/vsl/test/").secret("token")
    assert secret() == "one"
    store.values["token"] = "two"
    store.now += TTL_SECONDS
    assert secret() == "one"
    store.now += 1
    assert secret() == "two"


def test_a_refusal_has_it_read_at_once_but_not_again_and_again(store: Store) -> None:
    secret = Parameters("/vsl/test/").secret("token")
    secret()
    store.now += RENEW_SECONDS
    assert not changed(secret), "refused, and it is still the same"
    assert store.asked == 2
    store.values["token"] = "two"
    assert not changed(secret), "asked a moment ago"
    assert store.asked == 2
    store.now += RENEW_SECONDS
    assert changed(secret)
    assert secret() == "two"
    assert store.asked == 3


def test_whoever_asks_second_learns_of_the_change_too(store: Store) -> None:
    parameters = Parameters("/vsl/test/")
    token, url = parameters.secret("token"), parameters.secret("url")
    token(), url()
    store.values |= {"token": "two", "url": "there"}
    store.now += RENEW_SECONDS
    assert changed(token)
    assert changed(url)
    assert store.asked == 2


def test_what_is_known_stays_while_ssm_is_away(store: Store) -> None:
    secret = Parameters("/vsl/test/").secret("token")
    secret()
    store.away = True
    store.now += TTL_SECONDS + 1
    assert secret() == "one"
    assert secret() == "one"
    assert store.asked == 2, "and it is not asked at each use"
    store.away, store.values["token"] = False, "two"
    store.now += RENEW_SECONDS + 1
    assert secret() == "two"


def test_without_any_value_an_outage_shows(store: Store) -> None:
    store.away = True
    with pytest.raises(StoreUnavailable):
        Parameters("/vsl/test/").get("token")


def test_a_parameter_that_was_removed_is_no_other_secret(store: Store) -> None:
    secret = Parameters("/vsl/test/").secret("token")
    secret()
    del store.values["token"]
    store.now += RENEW_SECONDS
    assert not changed(secret)


def test_a_plain_source_has_never_changed() -> None:
    assert not changed(lambda: "fixed")
