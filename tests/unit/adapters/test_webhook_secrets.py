"""A webhook secret that changes at the provider, or in SSM, and somebody who forges."""

import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from vsl.adapters.webhook_secrets import RENEW_SECONDS, TTL_SECONDS, ProviderWebhookSecrets
from vsl.domain.errors import ProviderUnavailable
from vsl.domain.signature import TOLERANCE_SECONDS

if TYPE_CHECKING:
    from vsl.adapters.parameters import Parameters


class Outside:
    """SSM (`configured`), the provider (`theirs`, None when it is away) and the clock."""

    def __init__(self) -> None:
        self.configured: str | None = None
        self.theirs: str | None = "one"
        self.fetched = 0
        self.renewals = 0
        self.now = 1000.0

    def find(self, name: str) -> str | None:
        assert name == "replicate-webhook-secret"
        return self.configured

    def renew(self) -> None:
        self.renewals += 1

    def fetch(self) -> str:
        self.fetched += 1
        if self.theirs is None:
            raise ProviderUnavailable("The provider could not be reached.")
        return self.theirs


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    outside = Outside()
    monkeypatch.setattr(time, "monotonic", lambda: outside.now)
    return outside


@pytest.fixture
def secrets(outside: Outside) -> ProviderWebhookSecrets:
    return ProviderWebhookSecrets(cast("Parameters", cast("Any", outside)), outside.fetch)


def test_the_provider_is_asked_once(outside: Outside, secrets: ProviderWebhookSecrets) -> None:
    assert [list(secrets.current()) for _ in range(3)] == [["one"]] * 3
    assert outside.fetched == 1


def test_a_secret_rotated_at_the_provider_is_found_with_the_first_misfit(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    secrets.current()
    outside.theirs = "two"
    assert list(secrets.renewed()) == ["two", "one"], "what was signed before is on its way"
    assert list(secrets.current()) == ["two", "one"]
    outside.now += TOLERANCE_SECONDS
    assert list(secrets.current()) == ["two"]


def test_forgeries_ask_the_provider_once_a_minute(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    secrets.current()
    for _ in range(2 * RENEW_SECONDS):
        secrets.renewed()
        secrets.renewed()
        outside.now += 1
    assert outside.fetched == 1 + 2
    assert outside.renewals == 2
    assert list(secrets.renewed()) == ["one"], "the next minute"


def test_without_a_misfit_it_is_read_again_after_an_hour(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    secrets.current()
    outside.theirs = "two"
    outside.now += TTL_SECONDS + 1
    assert list(secrets.current()) == ["two", "one"]


def test_the_known_secret_stays_while_the_provider_is_away(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    secrets.current()
    outside.theirs = None
    outside.now += TTL_SECONDS + 1
    assert list(secrets.current()) == ["one"]
    assert list(secrets.current()) == ["one"]
    assert outside.fetched == 2, "and it is not asked for every webhook"
    assert list(secrets.renewed()) == ["one"]


def test_without_any_secret_the_reason_shows(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    outside.theirs = None
    with pytest.raises(ProviderUnavailable):
        secrets.current()


def test_what_is_configured_comes_first_and_asks_nobody(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    outside.configured = "new, old"
    assert list(secrets.current()) == ["new", "old"]
    outside.configured = "newer,new"
    assert list(secrets.renewed()) == ["newer", "new"]
    assert (outside.fetched, outside.renewals) == (0, 1)
