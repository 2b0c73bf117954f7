"""The note that lets a repeated command be one payment."""

import json
import stat
from pathlib import Path

import pytest

from cli.client.intents import folder, intent


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def notes() -> list[Path]:
    return sorted(folder().glob("*.json"))


def test_a_settled_request_leaves_nothing() -> None:
    note = intent("there", {"a": 1})
    assert not note.repeated
    note.write({"x": 1})
    note.settle()
    assert notes() == []


def test_a_lost_answer_is_asked_for_with_the_same_key_and_body() -> None:
    lost = intent("there", {"a": 1})
    lost.write({"x": 1})
    lost.release()
    again = intent("there", {"a": 1})
    assert (again.key, again.body, again.repeated) == (lost.key, {"x": 1}, True)
    other = intent("there", {"a": 2})
    assert other.key != lost.key
    for note in (again, other):
        note.settle()


def test_two_equal_commands_side_by_side_are_two_requests() -> None:
    first, second = intent("there"), intent("there")
    first.write({})
    second.write({})
    third = intent("there")
    assert len({first.key, second.key, third.key}) == 3
    for note in (first, second, third):
        note.settle()


def test_old_and_broken_notes_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    old = intent("there")
    old.write({})
    old.release()
    broken = intent("else")
    broken.release()
    (path,) = [each for each in notes() if each != old.path]
    assert path.read_text() == ""
    document = json.loads(old.path.read_text())
    monkeypatch.setattr("time.time", lambda: document["at"] + 86_400)
    for where, former in (("there", old), ("else", broken)):
        fresh = intent(where)
        assert not fresh.repeated
        assert fresh.key != former.key
        fresh.settle()
    assert notes() == []


def test_notes_are_for_the_owner_alone() -> None:
    note = intent("there")
    note.write({"parameters": {"prompt": "secret plans"}})
    assert stat.S_IMODE(note.path.stat().st_mode) == 0o600
    note.settle()
