"""A webhook secret that changes at the provider, or in SSM, and somebody who forges."""

import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from vsl.adapters.replicate.webhook_secrets import (
    RENEW_SECONDS,
    TTL_SECONDS,
    ProviderWebhookSecrets,
)
from vsl.domain.errors import ProviderUnavailable
from vsl.domain.predictions.signature import TOLERANCE_SECONDS

if TYPE_CHECKING:
    from vsl.adapters.aws.parameters import Parameters

ONE, TWO = "whsec_" + "b25l" * 8, "whsec_" + "dHdv" * 8


class Outside:
    """SSM (`configured`), the provider (`theirs`, None when it is away) and the clock."""

    def __init__(self) -> None:
        self.configured: str | None = None
        self.theirs: str | None = ONE
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
    assert [list(secrets.current()) for _ in range(3)] == [[ONE]] * 3
    assert outside.fetched == 1


def test_a_secret_rotated_at_the_provider_is_found_with_the_first_misfit(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    secrets.current()
    outside.theirs = TWO
    assert list(secrets.renewed()) == [TWO, ONE], "what was signed before is on its way"
    assert list(secrets.current()) == [TWO, ONE]
    outside.now += TOLERANCE_SECONDS
    assert list(secrets.current()) == [TWO]


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
    assert list(secrets.renewed()) == [ONE], "the next minute"


def test_without_a_misfit_it_is_read_again_after_an_hour(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    secrets.current()
    outside.theirs = TWO
    outside.now += TTL_SECONDS + 1
    assert list(secrets.current()) == [TWO, ONE]


def test_the_known_secret_stays_while_the_provider_is_away(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    secrets.current()
    outside.theirs = None
    outside.now += TTL_SECONDS + 1
    assert list(secrets.current()) == [ONE]
    assert list(secrets.current()) == [ONE]
    assert outside.fetched == 2, "and it is not asked for every webhook"
    assert list(secrets.renewed()) == [ONE]


def test_without_any_secret_the_reason_shows(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    outside.theirs = None
    with pytest.raises(ProviderUnavailable):
        secrets.current()


def test_what_is_configured_comes_first_and_asks_nobody(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    outside.configured = f"{ONE}, {TWO}"
    assert list(secrets.current()) == [ONE, TWO]
    outside.configured = f"{TWO},{ONE}"
    assert list(secrets.renewed()) == [TWO, ONE]
    assert (outside.fetched, outside.renewals) == (0, 1)


@pytest.mark.parametrize(
    ("configured", "places"), [(f"whsec_broken!,{TWO}", "1 of 2"), (f"{TWO}\nwhsec_", "2 of 2")]
)
def test_one_bad_secret_of_several_is_named_and_the_other_works(
    outside: Outside,
    secrets: ProviderWebhookSecrets,
    caplog: pytest.LogCaptureFixture,
    configured: str,
    places: str,
) -> None:
    outside.configured = configured
    for _ in range(3):
        assert list(secrets.current()) == [TWO]
    (line,) = caplog.messages
    assert "replicate-webhook-secret" in line
    assert places in line
    assert "broken" not in line
    assert outside.fetched == 0


def test_where_none_that_is_configured_is_good_the_provider_is_asked(
    outside: Outside, secrets: ProviderWebhookSecrets, caplog: pytest.LogCaptureFixture
) -> None:
    outside.configured = "whsec_broken!"
    assert list(secrets.current()) == [ONE]
    assert "1 of 1" in caplog.text


def test_what_the_provider_says_is_no_secret(
    outside: Outside, secrets: ProviderWebhookSecrets
) -> None:
    outside.theirs = "whsec_"
    with pytest.raises(ProviderUnavailable, match="webhook secret"):
        secrets.current()
