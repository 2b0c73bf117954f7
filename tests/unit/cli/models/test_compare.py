"""What has changed at the provider: every kind of change, felt at once or with an update."""

from typing import Any

import pytest

from cli.models.translation.compare import Change, compare
from cli.models.translation.merge import merged
from tests.support.published import FILE, VERSION, proposal, published

NEWER = "0" * 64
STEPS = {"type": "integer", "default": 20, "minimum": 1, "maximum": 50}
MODE = {"type": "string", "default": "a", "enum": ["a", "b"]}
PROMPT = {"type": "string"}
BEFORE = {"prompt": PROMPT, "steps": STEPS, "mode": MODE}


def changes(now: dict[str, Any], *, by_hand: bool = False, **more: Any) -> list[Change]:
    entry = proposal(published(BEFORE, required=("prompt",), official=True)).entry
    if by_hand:
        entry = {key: value for key, value in entry.items() if key != "source"}
    after = {"required": ("prompt",), "official": True, **more}
    return compare(entry, published(now, **after))


def test_nothing_has_changed() -> None:
    assert changes(BEFORE) == []
    assert changes(BEFORE, by_hand=True) == []
    assert changes({**BEFORE, "steps": {**STEPS, "description": "More is finer"}}) == []


@pytest.mark.parametrize(
    ("now", "message", "breaks"),
    [
        ({"steps": {**STEPS, "maximum": 30}}, "maximum 50 → 30", True),
        ({"steps": {**STEPS, "maximum": 99}}, "maximum 50 → 99", False),
        ({"steps": {**STEPS, "minimum": 5}}, "minimum 1 → 5", True),
        ({"steps": {**STEPS, "default": 25}}, "default 20 → 25", False),
        ({"steps": {**STEPS, "multipleOf": 5}}, "multipleOf 1 → 5", True),
        ({"steps": {**STEPS, "type": "string"}}, "takes string, not integer", True),
        ({"mode": {**MODE, "enum": ["a", "c"]}}, "does not take b any more", True),
        ({"mode": {**MODE, "enum": ["a", "b", "c"]}}, "takes c as well", False),
        ({"mode": {"type": "string", "default": "a"}}, "takes other values as well", False),
        ({"prompt": {**PROMPT, "maxLength": 100}}, "maxLength none → 100", True),
        ({"prompt": {**PROMPT, "enum": ["x", "y"]}}, "takes only x, y", True),
        ({"prompt": {"type": "object"}}, "is an object", True),
    ],
)
def test_an_input_has_changed(now: dict[str, Any], message: str, breaks: bool) -> None:
    (name,) = now
    found = [each for each in changes({**BEFORE, **now}) if each.kind == "input"]

    assert [(each.input, each.breaks) for each in found if message in each.message] == [
        (name, breaks)
    ]
    by_hand = [each for each in changes({**BEFORE, **now}, by_hand=True) if message in each.message]
    assert bool(by_hand) is breaks, "what a hand-written entry narrows is meant so"


def test_inputs_come_and_go() -> None:
    without_mode = {"prompt": PROMPT, "steps": STEPS}
    assert changes(without_mode) == [Change("input", "is gone", True, "mode")]
    with_seed = {**BEFORE, "seed": {"type": "integer"}}
    assert changes(with_seed) == [Change("new", "is new: integer", False, "seed")]
    assert changes(with_seed, by_hand=True) == []
    needed = ("prompt", "seed")
    assert changes(with_seed, required=needed) == [
        Change("new", "is new and required", True, "seed")
    ]
    assert changes(with_seed, required=needed, by_hand=True) == [
        Change("new", "is required", True, "seed")
    ]
    secret = {**BEFORE, "key": {"type": "string", "format": "password"}}
    assert changes(secret) == []


def test_version_kind_and_output() -> None:
    assert changes(BEFORE, version=NEWER) == [
        Change("version", f"version 00000000 follows {VERSION[:8]}")
    ]
    (change,) = changes(BEFORE, official=False)
    assert (change.kind, change.breaks) == ("official", True)
    (change,) = changes(BEFORE, output={"type": "array", "items": FILE})
    assert (change.kind, change.breaks) == ("output", True)
    assert "list, not single" in change.message


def test_what_an_entry_always_sends_or_translates_is_compared_too() -> None:
    entry = {
        **proposal(published(BEFORE, official=True)).entry,
        "parameters": {
            "prompt": {"type": "string"},
            "length": {
                "type": "integer", "enum": [1, 2], "input": "mode", "values": {"1": "a", "2": "b"},
            },
        },
        "fixed": {"steps": 40},
    }  # fmt: skip
    del entry["source"]
    after = {
        **BEFORE,
        "steps": {**STEPS, "maximum": 30},
        "mode": {**MODE, "enum": ["a"]},
    }

    assert compare(entry, published(BEFORE, official=True)) == []
    assert {
        each.input: each.message for each in compare(entry, published(after, official=True))
    } == {
        "steps": "does not take 40 any more",
        "mode": "does not take b any more",
    }


def after_update(
    before: dict[str, Any], now: dict[str, Any], edit: Any = None, **more: Any
) -> dict[str, Any]:
    """The entry for `before`, as `edit` leaves it, brought up to `now`."""
    entry = proposal(published(before, required=("prompt",))).entry
    if edit:
        edit(entry)
    model = published(now, **{"required": ("prompt",), "version": NEWER, **more})
    return merged(entry, proposal(model), model)


def test_an_untouched_entry_becomes_what_add_would_write() -> None:
    now = {"prompt": PROMPT, "mode": {**MODE, "enum": ["a", "b", "c"]}, "seed": {"type": "integer"}}
    fresh = proposal(published(now, required=("prompt",), version=NEWER)).entry

    assert after_update(BEFORE, now) == fresh


def test_what_the_operator_wrote_stays() -> None:
    def edit(entry: dict[str, Any]) -> None:
        entry |= {
            "description": "Ours", "price": {"unit": "run", "amount": "1"}, "estimatedTime": 7,
            "timeout": 99, "reruns": 0, "example": {"text": "A fox", "steps": 3},
        }  # fmt: skip
        parameters = entry["parameters"]
        parameters["text"] = {
            **parameters.pop("prompt"),
            "input": "prompt",
            "description": "Say it",
        }
        parameters["steps"]["maximum"] = 10
        del parameters["mode"]

    now = {**BEFORE, "prompt": {**PROMPT, "maxLength": 100}, "seed": {"type": "integer"}}
    entry = after_update(BEFORE, now, edit)

    kept = ("description", "price", "estimatedTime", "timeout", "reruns", "example")
    assert [entry[key] for key in kept] == [
        "Ours", {"unit": "run", "amount": "1"}, 7, 99, 0, {"steps": 3, "text": "A fox"},
    ]  # fmt: skip
    assert entry["reference"] == f"acme/painter:{NEWER}"
    assert entry["parameters"] == {
        "steps": {**STEPS, "maximum": 10},
        "text": {
            "type": "string", "required": True, "maxLength": 100, "input": "prompt",
            "description": "Say it",
        },
        "seed": {"type": "integer"},
    }  # fmt: skip


def test_of_a_hand_written_entry_only_what_breaks_is_cut_back() -> None:
    def by_hand(entry: dict[str, Any]) -> None:
        del entry["source"], entry["parameters"]["mode"]
        entry["parameters"]["steps"] |= {"maximum": 40, "description": "Steps"}

    now = {
        "prompt": PROMPT,
        "steps": {**STEPS, "minimum": 5, "maximum": 99, "default": 30},
        "seed": {"type": "integer"},
        "key": {"type": "string"},
    }
    entry = after_update(BEFORE, now, by_hand, required=("prompt", "key"))

    assert entry["parameters"] == {
        "prompt": {"type": "string", "required": True},
        "steps": {**STEPS, "minimum": 5, "maximum": 40, "description": "Steps"},
        "key": {"type": "string", "required": True},
    }
    assert entry["source"]["version"] == NEWER
    assert compare(entry, published(now, required=("prompt", "key"), version=NEWER)) == []


def test_an_example_that_no_longer_validates_goes_and_a_required_value_comes() -> None:
    def edit(entry: dict[str, Any]) -> None:
        entry["example"] = {"prompt": "A fox", "steps": 50, "mode": "b"}

    now = {
        "prompt": PROMPT,
        "steps": {**STEPS, "maximum": 30},
        "style": {"type": "string", "enum": ["oil", "ink"]},
    }
    entry = after_update(BEFORE, now, edit, required=("prompt", "style"))

    assert entry["example"] == {"prompt": "A fox", "style": "oil"}


def test_a_deployment_and_an_official_model_stay_what_they_are() -> None:
    def edit(entry: dict[str, Any]) -> None:
        entry["reference"] = "deployments/acme/live"

    assert after_update(BEFORE, BEFORE, edit)["reference"] == "deployments/acme/live"
    model = published(BEFORE, official=True, version=NEWER)
    entry = proposal(published(BEFORE, official=True)).entry
    assert merged(entry, proposal(model), model)["reference"] == "acme/painter"
    pinned = {**entry, "reference": f"acme/painter:{VERSION}"}
    assert merged(pinned, proposal(model), model)["reference"] == f"acme/painter:{NEWER}"
