"""An entry brought up to date: the provider's part from the newest version, the operator's part as it is.

The operator's are the public names, the description, the price, the times, what a file must be, and each
parameter whose input has not changed. Of an entry written by hand (without `source`) it is every limit,
too: it is only cut back to what the provider still takes.
"""

from collections.abc import Mapping
from typing import Any

from cli.models.translation.compare import LIMITS, direct_inputs, unchanged
from cli.models.translation.entry import Proposal
from cli.models.translation.examples import example_of
from cli.models.translation.inputs import Entry
from cli.models.translation.names import public_name
from cli.models.translation.published import Published
from cli.models.translation.reference import Reference
from cli.models.translation.rules import by_input

_KEPT = ("media", "input", "title", "description", "requires")


def merged(entry: Entry, proposal: Proposal, published: Published) -> Entry:
    """`proposal` is what `add` would write today. The result may break the catalogue's rules, where
    what they demand is gone at the provider."""
    source = entry.get("source") or {}
    today = proposal.entry
    new = {key: value for key, value in entry.items() if key not in {"source", "example"}}
    new["reference"] = _reference(entry, published)
    if source.get("output") != published.output_digest:
        new["output"] = today["output"]
    new["parameters"] = _parameters(entry, today, source, published)
    new |= _constants(entry, published)
    new = {key: value for key, value in new.items() if value or key not in {"fixed", "derived"}}
    new["source"] = today["source"]
    new["example"] = _example(entry, new["parameters"], today)
    return new


def _reference(entry: Entry, published: Published) -> str:
    """Pinned to the newest version where it was pinned or has to be."""
    before = Reference.parse(entry["reference"])
    by_name = before.deployment or (published.official and before.version is None)
    return str(before if by_name else Reference(before.owner, before.name, published.version))


def _parameters(
    entry: Entry, today: Entry, source: Mapping[str, Any], published: Published
) -> dict[str, Entry]:
    new = today["parameters"]
    now = {target: new[name] for target, name in by_input(new).items()}
    offered = {name: target for target, name in direct_inputs(entry).items()}
    found: dict[str, Entry] = {}
    for name, parameter in entry["parameters"].items():
        target = offered.get(name)
        if target is None or unchanged(target, source, published):
            found[name] = parameter
        elif target in now:
            found[name] = _combined(parameter, now[target], by_hand=not source)
    filled = {*offered.values(), *entry.get("fixed", {}), *entry.get("derived", {})}
    for target, parameter in now.items():
        wanted = target not in source.get("inputs", {}) if source else parameter.get("required")
        if target not in filled and wanted:
            name = public_name(target, found)
            named = {key: each for key, each in parameter.items() if key != "input"}
            found[name] = named if name == target else {**named, "input": target}
    return found


def _combined(before: Entry, today: Entry, *, by_hand: bool) -> Entry:
    if "values" in before:
        return _translated(before, today)
    if by_hand:
        return _cut_back(before, today)
    kept = {key: before[key] for key in _KEPT if key in before}
    return {**{key: each for key, each in today.items() if key != "input"}, **kept}


def _translated(before: Entry, today: Entry) -> Entry:
    """Choices of the entry's own, of which those stay whose translation is still taken."""
    accepted = today.get("enum")
    values: dict[str, Any] = {
        choice: value
        for choice, value in before["values"].items()
        if accepted is None or value in accepted
    }
    choices: list[Any] = [each for each in before["enum"] if str(each) in values]
    new = {key: each for key, each in before.items() if key not in {"default", "required"}}
    new |= {"enum": choices, "values": values}
    if today.get("required"):
        new["required"] = True
    if before.get("default") in choices:
        new["default"] = before["default"]
    return new


def _cut_back(before: Entry, today: Entry) -> Entry:
    """The entry's own limits, where they are within the provider's."""
    new: Entry = dict(before)
    if (before["type"], today["type"]) != ("integer", "number"):
        new |= {key: today[key] for key in ("type", "items") if key in today}
    for keyword, _, direction in LIMITS:
        limits = [each[keyword] for each in (before, today) if keyword in each]
        if limits:
            new[keyword] = min(limits) if direction > 0 else max(limits)
    if "values" not in before and "enum" in today:
        own = before["enum"] if "enum" in before else today["enum"]
        new["enum"] = [each for each in own if each in today["enum"]] or today["enum"]
    if today.get("required") and before.get("default") is None:
        new["required"] = True
    return new


def _constants(entry: Entry, published: Published) -> dict[str, Any]:
    """What is always sent or computed, without the inputs that are gone."""
    return {
        key: {target: each for target, each in entry[key].items() if target in published.inputs}
        for key in ("fixed", "derived")
        if key in entry
    }


def _example(entry: Entry, parameters: Mapping[str, Entry], today: Entry) -> dict[str, Any]:
    """The entry's own values, as far as they are still taken, and today's for the rest."""
    todays, given = by_input(today["parameters"]), {}
    for target, name in by_input(parameters).items():
        if name in entry["example"]:
            given[target] = entry["example"][name]
        elif parameters[name].get("required") and todays.get(target) in today["example"]:
            given[target] = today["example"][todays[target]]
    return example_of(parameters, given)[0]
