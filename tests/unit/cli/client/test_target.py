"""Whom a command speaks to, and as whom."""

import base64
import json
from pathlib import Path

import pytest

from cli.client.errors import CommandError, Exit
from cli.client.target import clean_user, resolve, valid_user
from vsl.domain.api.request import is_user_id


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VSL_API_URL", "VSL_API_KEY", "VSL_TOKEN", "VSL_USER", "VSL_STAGE"):
        monkeypatch.delenv(name, raising=False)


def token(subject: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


def test_an_address_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSL_API_URL", "https://api.example.com/v1/")
    monkeypatch.setenv("VSL_API_KEY", "abc")
    monkeypatch.setenv("VSL_USER", "ann")
    target = resolve(None, None, None)
    assert (target.url, target.user) == ("https://api.example.com/v1", "ann")
    assert target.headers == {"x-api-key": "abc"}
    assert resolve(None, None, "bob").user == "bob"
    assert resolve(None, None, "bob").command("jobs").endswith(" jobs --user bob")


def test_a_token_says_whose_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSL_API_URL", "https://api.example.com")
    monkeypatch.setenv("VSL_TOKEN", token("4f1c-sub"))
    target = resolve(None, None, None)
    assert target.user == "4f1c-sub"
    assert target.headers == {"Authorization": token("4f1c-sub")}


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", "e30.W10.x", "..", "e30.e30.x"])
def test_a_token_that_says_nothing_leaves_the_login(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("VSL_API_URL", "https://api.example.com")
    monkeypatch.setenv("VSL_TOKEN", text)
    monkeypatch.setattr("getpass.getuser", lambda: "Jürgen Groß")
    assert resolve(None, None, None).user == "J-rgen-Gro-"


def test_without_a_stack_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No stack is running") as caught:
        resolve(tmp_path, None, None)
    assert caught.value.exit_code == Exit.UNAVAILABLE
    assert "up --detach" in caught.value.hint


def test_a_folder_on_the_command_line_comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VSL_API_URL", "https://api.example.com")
    with pytest.raises(CommandError, match="No stack is running"):
        resolve(tmp_path, None, None)


def test_two_targets_and_unknown_stages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as both:
        resolve(tmp_path, "homolog", None)
    with pytest.raises(CommandError) as unknown:
        resolve(None, "staging", None)
    assert (both.value.code, unknown.value.code) == ("TwoTargets", "UnknownStage")
    assert both.value.exit_code == unknown.value.exit_code == Exit.REFUSED
    assert "homolog or production" in unknown.value.hint


@pytest.mark.parametrize("name", ["", "...", "Ünal", "DOMAIN\\bob", "a" * 300, "root", "x y", "-x"])
def test_every_login_becomes_a_user_id(name: str) -> None:
    assert is_user_id(clean_user(name))


def test_a_wrong_user_is_refused_here_already() -> None:
    with pytest.raises(CommandError) as caught:
        valid_user("no spaces")
    assert caught.value.exit_code == Exit.REFUSED
