"""The environment that a function has in a stage of the tests."""

from collections.abc import Iterator

import pytest

from vsl.runtime.settings import settings

ENVIRONMENT = {
    "STAGE": "test",
    "API_AUTH": "API_KEY",
    "DYNAMODB_TABLE": "jobs",
    "S3_BUCKET": "media",
    "SSM_PREFIX": "/vsl/test/",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()
