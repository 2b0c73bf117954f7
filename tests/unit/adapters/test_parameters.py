"""How long a parameter is believed, and when SSM is asked again."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from tests.support.aws_calls import refused
from tests.support.memory_ssm import MemorySsm
from vsl.adapters.aws import clients
from vsl.adapters.aws.parameters import RENEW_SECONDS, TTL_SECONDS, Parameters, changed
from vsl.domain.errors import ConfigurationError, StoreUnavailable


class Store(MemorySsm):
    """SSM and the clock; `busy` calls are throttled first."""

    def __init__(self) -> None:
        super().__init__(token="one", url="here", unused="not for us")
        self.away = False
        self.busy = 0
        self.slept: list[float] = []
        self.now = 1000.0

    def get_parameters(self, *, Names: Sequence[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        found = super().get_parameters(Names=Names, WithDecryption=WithDecryption)
        if self.away:
            raise ConnectTimeoutError(endpoint_url="ssm")
        if self.busy:
            self.busy -= 1
            raise refused("ThrottlingException")
        return found

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store()
    monkeypatch.setattr(clients, "client", {"ssm": store}.__getitem__)
    monkeypatch.setattr(time, "monotonic", lambda: store.now)
    monkeypatch.setattr(time, "sleep", store.sleep)
    return store


def test_what_is_wanted_so_far_is_read_at_once_and_kept(store: Store) -> None:
    parameters = Parameters("/vsl/test")
    token, url = parameters.secret("token"), parameters.secret("url")
    assert (token(), url()) == ("one", "here")
    assert store.asked == [["token", "url"]]
    assert (parameters.get("token"), parameters.find("url")) == ("one", "here")
    assert len(store.asked) == 1


def test_nothing_is_read_that_is_not_wanted(store: Store) -> None:
    """The function's role would not allow it."""
    parameters = Parameters("/vsl/test")
    parameters.secret("url")
    assert parameters.get("token") == "one"
    assert parameters.get("token") == "one"
    assert store.asked == [["token", "url"]]


def test_what_is_wanted_later_is_read_then_with_the_rest(store: Store) -> None:
    parameters = Parameters("/vsl/test")
    assert parameters.get("token") == "one"
    assert parameters.get("url") == "here"
    assert store.asked == [["token"], ["token", "url"]]


def test_one_that_is_not_there_is_not_looked_for_again_and_again(store: Store) -> None:
    parameters = Parameters("/vsl/test")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="/vsl/test/missing"):
            parameters.get("missing")
        assert parameters.find("missing") is None
    assert len(store.asked) == 1


def test_a_crowd_of_cold_starts_comes_apart(store: Store) -> None:
    """SSM answers forty calls a second: who is refused asks again, at a moment of its own."""
    store.busy = 3
    assert Parameters("/vsl/test").get("token") == "one"
    assert len(store.asked) == 4
    assert len(set(store.slept)) == 3
    assert sum(store.slept) < 3, "a client is waiting"


def test_one_who_knows_something_does_not_wait(store: Store) -> None:
    secret = Parameters("/vsl/test/").secret("token")
    secret()
    store.busy = 1
    store.now += TTL_SECONDS + 1
    assert secret() == "one"
    assert store.slept == []


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
    assert len(store.asked) == 2
    store.values["token"] = "two"
    assert not changed(secret), "asked a moment ago"
    assert len(store.asked) == 2
    store.now += RENEW_SECONDS
    assert changed(secret)
    assert secret() == "two"
    assert len(store.asked) == 3


def test_whoever_asks_second_learns_of_the_change_too(store: Store) -> None:
    parameters = Parameters("/vsl/test/")
    token, url = parameters.secret("token"), parameters.secret("url")
    token(), url()
    store.values |= {"token": "two", "url": "there"}
    store.now += RENEW_SECONDS
    assert changed(token)
    assert changed(url)
    assert len(store.asked) == 2


def test_what_is_known_stays_while_ssm_is_away(store: Store) -> None:
    secret = Parameters("/vsl/test/").secret("token")
    secret()
    store.away = True
    store.now += TTL_SECONDS + 1
    assert secret() == "one"
    assert secret() == "one"
    assert len(store.asked) == 2, "and it is not asked at each use"
    store.away, store.values["token"] = False, "two"
    store.now += RENEW_SECONDS + 1
    assert secret() == "two"


def test_without_any_value_an_outage_shows(store: Store) -> None:
    parameters = Parameters("/vsl/test/")
    store.away = True
    with pytest.raises(StoreUnavailable):
        parameters.get("token")
    assert store.slept == [], "an unreachable SSM has taken its time already"
    store.away = False
    assert parameters.get("token") == "one"
    store.away = True
    with pytest.raises(StoreUnavailable):
        parameters.get("url")
    assert parameters.get("token") == "one", "what is known stays known"


def test_a_parameter_that_was_removed_is_no_other_secret(store: Store) -> None:
    secret = Parameters("/vsl/test/").secret("token")
    secret()
    del store.values["token"]
    store.now += RENEW_SECONDS
    assert not changed(secret)


def test_a_plain_source_has_never_changed() -> None:
    assert not changed(lambda: "fixed")


@pytest.mark.parametrize("pasted", ["one\n", " one ", '"one"', "'one'\r\n"])
def test_what_was_pasted_around_a_value_is_no_part_of_it(store: Store, pasted: str) -> None:
    store.values["token"] = pasted
    assert Parameters("/vsl/test").get("token") == "one"
