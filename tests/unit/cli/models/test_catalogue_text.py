"""The catalogue's text: one entry changes, and every other character stays."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.models.catalogue_text import entries, entry_text, put_entry, remove_entry
from devstack.paths import MODELS_CONFIG

SHIPPED = MODELS_CONFIG.read_text()
ENTRY = {"reference": "a/b", "parameters": {"prompt": {"type": "string"}, "n": {"type": "integer"}}}
ODD = '{ "image" :{\n\t"one": {"note": "{\\"x\\": }"} ,"two":{}}\n}\n'


def test_the_shipped_entries_are_written_as_they_stand() -> None:
    for model_id, (media, entry) in entries(SHIPPED).items():
        assert f"{json.dumps(model_id)}: {entry_text(entry)}" in SHIPPED
        assert put_entry(SHIPPED, media, model_id, entry) == SHIPPED


def test_an_entry_is_added_at_the_end_of_its_kind() -> None:
    text = put_entry(SHIPPED, "image", "mine", ENTRY)

    assert list(json.loads(text)["image"])[-1] == "mine"
    added = [line for line in text.splitlines() if line not in SHIPPED.splitlines()]
    assert '    "mine": {' in added
    assert '        "prompt": {"type": "string"},' in added
    assert '        "n": {"type": "integer"}' in added
    assert remove_entry(text, "mine") == SHIPPED


def test_a_new_kind_comes_last_and_goes_with_its_last_model() -> None:
    text = put_entry(SHIPPED, "file", "mine", ENTRY)

    assert list(json.loads(text)) == [*json.loads(SHIPPED), "file"]
    assert text.endswith("    }\n  }\n}\n")
    assert remove_entry(text, "mine") == SHIPPED


def test_an_entry_can_change_its_kind() -> None:
    text = put_entry(put_entry(SHIPPED, "image", "mine", ENTRY), "video", "mine", ENTRY)

    assert entries(text)["mine"] == ("video", ENTRY)
    assert list(json.loads(text)["image"]) == list(json.loads(SHIPPED)["image"])


def test_odd_blanks_and_texts_that_look_like_json_stay() -> None:
    text = put_entry(ODD, "image", "two", {"new": 1})

    assert text.startswith('{ "image" :{\n\t"one": {"note": "{\\"x\\": }"} ,"two": {\n')
    assert json.loads(text)["image"] == {"one": {"note": '{"x": }'}, "two": {"new": 1}}
    assert json.loads(remove_entry(ODD, "one")) == {"image": {"two": {}}}
    assert json.loads(remove_entry(ODD, "two")) == {"image": {"one": {"note": '{"x": }'}}}
    assert json.loads(put_entry("{}", "image", "one", {})) == {"image": {"one": {}}}
    assert json.loads(put_entry('{"image": { }}', "image", "a", {})) == {"image": {"a": {}}}


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(KeyError):
        remove_entry(SHIPPED, "nowhere")


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
_CATALOGUES = st.dictionaries(
    st.sampled_from(["image", "video", "file"]),
    st.dictionaries(
        st.text(max_size=3), st.dictionaries(st.text(max_size=3), _VALUES, max_size=2), max_size=3
    ),
    max_size=3,
)


@given(_CATALOGUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_any_catalogue_takes_an_entry_and_gives_it_back(
    document: dict[str, Any], indent: Any, ascii_only: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    added = put_entry(text, "video", "mine-mine", ENTRY)

    expected = {**document, "video": {**document.get("video", {}), "mine-mine": ENTRY}}
    assert json.loads(added) == expected
    assert list(json.loads(added)) == list(expected)
    if document.get("video"):
        assert remove_entry(added, "mine-mine") == text
