"""The entries written by hand beside what `vsl models add` writes: the document names each difference."""

import json
import re
from typing import Any

import pytest

from cli.models.translation.compare import direct_inputs
from cli.models.translation.entry import Options
from cli.models.translation.reference import Reference
from devstack.paths import MODELS_CONFIG
from tests.support.documents import document
from tests.support.published import proposal, published_by_stand_in

ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    name: (media, entry)
    for media, group in json.loads(MODELS_CONFIG.read_text()).items()
    for name, entry in group.items()
}
# Not of the schema: an operator says them, or the provider's example tells.
OPERATORS = {"description", "price", "estimatedTime", "timeout", "source", "example", "reruns"}
LIMITS = ("minimum", "maximum", "multipleOf", "maxLength", "requires", "enum")
DEFAULTS = ("default", "required")
HEADINGS = ["model", "named or computed", "limited", "own default", "left out"]

Differences = list[set[str]]


def differences(model_id: str) -> Differences:
    """Provider's inputs, and names of ours, in the order of the document's columns."""
    _, entry = ENTRIES[model_id]
    reference = Reference.parse(entry["reference"])
    made = proposal(published_by_stand_in(reference.unpinned), model_id).entry
    by_input = {target: entry["parameters"][name] for target, name in direct_inputs(entry).items()}
    computed = {*entry.get("derived", {}), *entry.get("fixed", {})}
    named, limited, own, left_out = set(computed), set[str](), set[str](), set[str]()
    for target, name in direct_inputs(entry).items():
        if target != name:
            named |= {target, name}
    for name, theirs in made["parameters"].items():
        target = str(theirs.get("input", name))
        ours = by_input.get(target)
        if ours is None:
            left_out |= {target} - computed
            continue
        translated = "values" in ours
        if any(ours.get(key) != theirs.get(key) for key in LIMITS) and not translated:
            limited.add(target)
        if any(ours.get(key) != theirs.get(key) for key in DEFAULTS):
            own.add(target)
        same = {"type", "items", "nullable", "minItems", "maxItems"}
        assert ours.get("media") in {None, theirs.get("media")}, "a guess, or any file"
        assert translated or all(ours.get(key) == theirs.get(key) for key in same), target
    assert set(by_input) <= {
        str(each.get("input", name)) for name, each in made["parameters"].items()
    }
    return [named, limited, own, left_out]


def documented() -> dict[str, Differences]:
    (table,) = [table for table in document("docs/catalogue.md").tables() if table[0] == HEADINGS]
    return {
        row[0].strip("`"): [set(re.findall(r"`([^`]+)`", cell)) for cell in row[1:]]
        for row in table[1:]
    }


@pytest.mark.parametrize("model_id", ENTRIES)
def test_every_difference_is_in_the_document(model_id: str) -> None:
    assert documented()[model_id] == differences(model_id)


def test_the_document_has_the_models_of_the_catalogue_and_no_others() -> None:
    assert list(documented()) == list(ENTRIES)


@pytest.mark.parametrize("model_id", ENTRIES)
def test_all_else_is_what_add_writes(model_id: str) -> None:
    media, entry = ENTRIES[model_id]
    reference = Reference.parse(entry["reference"])
    made = proposal(published_by_stand_in(reference.unpinned), model_id, Options())

    assert made.media == media
    for key in ("reference", "output"):
        assert made.entry[key] == entry[key]
    spoken_of = OPERATORS | {"reference", "output", "parameters", "derived", "fixed"}
    assert set(entry) | set(made.entry) <= spoken_of
