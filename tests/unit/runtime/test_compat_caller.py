"""Whom a request in another API's protocol is about."""

from collections.abc import Iterator
from typing import Any

import pytest

from cli.client import target
from vsl.domain.errors import Forbidden, InvalidRequest
from vsl.runtime.compat_caller import LOCAL_USER, compat_user
from vsl.runtime.settings import settings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STAGE", "local")
    monkeypatch.setenv("DYNAMODB_TABLE", "jobs")
    monkeypatch.setenv("SSM_PREFIX", "/vsl/local/")
    settings.cache_clear()
    yield
    settings.cache_clear()


def event(user: str | None = None, **claims: str) -> dict[str, Any]:
    headers = {} if user is None else {"vsl-user": user}
    authorizer = {"authorizer": {"claims": claims}} if claims else {}
    return {"headers": headers, "requestContext": authorizer}


def test_the_local_stack_falls_back_to_the_user_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_AUTH", "NONE")
    assert compat_user(event()) == LOCAL_USER == target._ME
    assert compat_user(event("ann")) == "ann"


@pytest.mark.parametrize("auth", ["API_KEY", "IAM"])
def test_a_trusted_back_end_names_its_user(auth: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_AUTH", auth)
    assert compat_user(event("ann")) == "ann"
    for nobody in (event(), event(""), event("not a user"), event("stage")):
        with pytest.raises(InvalidRequest):
            compat_user(nobody)


def test_a_token_names_its_own_user_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_AUTH", "COGNITO")
    monkeypatch.setenv("COGNITO_CLIENT_IDS", "app")
    claims = {"token_use": "id", "aud": "app", "sub": "ann"}
    assert compat_user(event(**claims)) == compat_user(event("ann", **claims)) == "ann"
    with pytest.raises(Forbidden):
        compat_user(event("ben", **claims))
