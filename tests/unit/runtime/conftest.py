"""What the tests of the functions' edge share."""

from collections.abc import Iterator

import pytest

from vsl.runtime.settings import settings


@pytest.fixture
def of_a_back_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings of a deployment whose callers are trusted back ends."""
    for name, value in {
        "STAGE": "test",
        "API_AUTH": "API_KEY",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/test/",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()
