"""The provider's documents: which are asked for, and what every bad answer becomes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.client.errors import CommandError, Exit
from cli.models import provider as module
from cli.models.provider import PUBLIC, ProviderModels, provider
from cli.models.translation.reference import Reference
from tests.support.published import VERSION

TOKEN = "r8_" + "t" * 37
MODEL = {"owner": "acme", "name": "painter", "latest_version": {"id": VERSION}}
OLDER = "1" * 64


def reading(
    answer: Callable[[httpx.Request], httpx.Response] | httpx.Response,
) -> ProviderModels:
    handler = answer if callable(answer) else lambda _request: answer
    return ProviderModels(PUBLIC, TOKEN, "Replicate", httpx.MockTransport(handler))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("cli.models.provider.time.sleep", slept.append)
    return slept


def answering(
    documents: dict[str, Any], asked: list[str]
) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1")
        asked.append(path)
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        found = documents.get(path)
        return httpx.Response(200, json=found) if found else httpx.Response(404)

    return answer


def test_the_newest_version_comes_with_the_model() -> None:
    asked: list[str] = []
    with reading(answering({"/models/acme/painter": MODEL}, asked)) as models:
        documents = models.read(Reference("acme", "painter"))

    assert asked == ["/models/acme/painter"]
    assert documents.published.version == VERSION


def test_a_named_version_is_asked_for() -> None:
    path = f"/models/acme/painter/versions/{OLDER}"
    asked: list[str] = []
    given = {"/models/acme/painter": MODEL, path: {"id": OLDER}}
    with reading(answering(given, asked)) as models:
        assert models.read(Reference("acme", "painter", OLDER)).published.version == OLDER
    assert asked == ["/models/acme/painter", path]


def test_a_deployment_is_read_through_to_the_version_it_runs() -> None:
    release = {
        "model": "acme/painter", "version": OLDER, "configuration": {"hardware": "gpu-t4"},
    }  # fmt: skip
    given = {
        "/deployments/acme/live": {"current_release": release},
        "/models/acme/painter": MODEL,
        f"/models/acme/painter/versions/{OLDER}": {"id": OLDER},
    }
    with reading(answering(given, [])) as models:
        documents = models.read(Reference("acme", "live", deployment=True))
    assert (documents.published.version, documents.hardware) == (OLDER, "gpu-t4")

    empty = {"/deployments/acme/live": {"current_release": None}}
    with reading(answering(empty, [])) as models, pytest.raises(CommandError, match="which model"):
        models.read(Reference("acme", "live", deployment=True))


@pytest.mark.parametrize(
    ("answer", "code", "exit_code"),
    [
        (httpx.Response(404), "ModelNotFound", Exit.NOT_FOUND),
        (httpx.Response(401), "TokenRefused", Exit.NOT_ALLOWED),
        (httpx.Response(403), "TokenRefused", Exit.NOT_ALLOWED),
        (httpx.Response(400), "ProviderUnavailable", Exit.UNAVAILABLE),
        (httpx.Response(500), "ProviderUnavailable", Exit.UNAVAILABLE),
        (httpx.Response(200, text="<html>"), "UnreadableAnswer", Exit.UNAVAILABLE),
        (httpx.Response(200, json=[]), "UnreadableAnswer", Exit.UNAVAILABLE),
    ],
)
def test_a_bad_answer(answer: httpx.Response, code: str, exit_code: Exit) -> None:
    with reading(answer) as models, pytest.raises(CommandError) as caught:
        models.read(Reference("acme", "painter"))
    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
    assert TOKEN not in f"{caught.value.message} {caught.value.hint}"


def test_a_busy_provider_is_asked_again_and_a_silent_one_given_up(no_pauses: list[float]) -> None:
    answers = [httpx.Response(429), httpx.Response(503), httpx.Response(200, json=MODEL)]
    with reading(lambda _request: answers.pop(0)) as models:
        assert models.read(Reference("acme", "painter")).published.version == VERSION
    assert no_pauses == list(module.PAUSES)

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    with (
        reading(silent) as models,
        pytest.raises(CommandError, match="cannot be reached") as caught,
    ):
        models.read(Reference("acme", "painter"))
    assert caught.value.exit_code == Exit.UNAVAILABLE
    assert PUBLIC in caught.value.hint


@pytest.mark.parametrize("token", ["", "two words", "new\nline"])
def test_what_is_no_token_is_not_sent(token: str) -> None:
    with pytest.raises(CommandError, match="token"):
        ProviderModels(PUBLIC, token, "Replicate")


def test_where_models_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "running_stack", lambda _state: None)
    monkeypatch.delenv("REPLICATE_API_TOKEN", raising=False)
    monkeypatch.delenv("REPLICATE_API_URL", raising=False)
    with pytest.raises(CommandError, match="no local stack is running"):
        provider(None, None, None)
    with pytest.raises(CommandError, match="No stack is running"):
        provider(tmp_path, None, None)

    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    with provider(None, None, None) as models:
        assert models.name == "Replicate"
    stack = {"replicateUrl": "http://127.0.0.1:9", "replicateToken": TOKEN}
    monkeypatch.setattr(module, "running_stack", lambda _state: stack)
    with provider(None, None, None) as models:
        assert models.name == "The local stand-in"
    with provider(None, None, "replicate") as models:
        assert models.name == "Replicate"
