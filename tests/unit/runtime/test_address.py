"""Where a deployment's API stands: what it was told, else what API Gateway calls it."""

from collections.abc import Callable, Iterator

import pytest

from vsl.runtime.address import api_address
from vsl.runtime.settings import settings

GATEWAYS_OWN = "https://api1234567.execute-api.eu-west-1.amazonaws.com/homolog"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    for name, value in {
        "STAGE": "homolog",
        "API_AUTH": "COGNITO",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/test/",
        "API_DOMAIN": "execute-api.eu-west-1.amazonaws.com",
    }.items():
        monkeypatch.setenv(name, value)

    def tell(urls: str) -> None:
        monkeypatch.setenv("API_URLS", urls)
        settings.cache_clear()

    yield tell
    settings.cache_clear()


@pytest.mark.parametrize("host", ["api1234567.execute-api.eu-west-1.amazonaws.com", "evil.example"])
def test_api_gateways_own_address_is_the_usual_one(told: Callable[[str], None], host: str) -> None:
    told("")
    assert api_address("api1234567", host) == GATEWAYS_OWN


def test_an_address_that_was_told_takes_its_place(told: Callable[[str], None]) -> None:
    told("https://media.example.com, https://media.example.org/v1")
    for host in ("evil.example", "api1234567.execute-api.eu-west-1.amazonaws.com"):
        assert api_address("api1234567", host) == "https://media.example.com"
    assert api_address("api1234567", "media.example.org") == "https://media.example.org/v1"


@pytest.mark.parametrize("api_id", [None, "", "evil.example/?", "a/b", 7])
def test_what_is_no_id_of_an_api_gives_no_address(
    told: Callable[[str], None], api_id: object
) -> None:
    told("")
    assert api_address(api_id, "evil.example") == ""
