"""What has changed at the provider since an entry was written, or was last brought up to date."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.models.translation.inputs import Entry, Inputs, translate_inputs
from cli.models.translation.outputs import translate_output
from cli.models.translation.published import Published
from cli.models.translation.reference import Reference
from cli.models.translation.rules import by_input, fault_of, rule_of
from cli.models.translation.values import NotServedError
from cli.models.translation.wording import one_line, shown


@dataclass(frozen=True, slots=True)
class Change:
    """`breaks`: the newest version fails with jobs that the entry takes.

    `input` is the provider's name.
    """

    kind: str
    message: str
    breaks: bool = False
    input: str | None = None


def compare(entry: Entry, published: Published) -> list[Change]:
    """`published` is the newest version. An entry without `source` was written by hand: what it
    leaves out or narrows is meant so, and only what breaks it counts."""
    return list(_changes(entry, published))


def _changes(entry: Entry, published: Published) -> Iterator[Change]:
    source = entry.get("source") or {}
    yield from _version(entry, source, published)
    if source.get("schema") == published.digest:
        return
    if source.get("output") != published.output_digest:
        yield from _output(entry, published)
    inputs = translate_inputs(published)
    offered = direct_inputs(entry)
    for target, name in offered.items():
        yield from _input(target, entry["parameters"][name], source, published, inputs)
    yield from _constants(entry, published, inputs)
    filled = {*offered, *entry.get("fixed", {}), *entry.get("derived", {})}
    for target in published.inputs:
        if target not in filled and target not in source.get("inputs", {}):
            yield from _new(target, source, inputs)


def direct_inputs(entry: Entry) -> dict[str, str]:
    """Provider's input → parameter, for the parameters that are sent as they are."""
    derived = {name for each in entry.get("derived", {}).values() for name in each["from"]}
    return {
        target: name
        for target, name in by_input(entry["parameters"]).items()
        if name not in derived
    }


def unchanged(target: str, source: Mapping[str, Any], published: Published) -> bool:
    """Whether the schema of an input is what it was when the entry was written."""
    before = source.get("inputs", {}).get(target)
    return target in published.inputs and before == published.input_digest(target)


def _version(entry: Entry, source: Mapping[str, Any], published: Published) -> Iterator[Change]:
    pinned = Reference.parse(entry["reference"])
    before = pinned.version or source.get("version")
    if before is not None and published.version not in {None, before}:
        day = f" of {published.created_at[:10]}" if published.created_at else ""
        yield Change("version", f"version {str(published.version)[:8]}{day} follows {before[:8]}")
    if not published.official and pinned.version is None and not pinned.deployment:
        yield Change("official", "is no official model any more: it runs by version only", True)


def _output(entry: Entry, published: Published) -> Iterator[Change]:
    try:
        shape = translate_output(published).shape
    except NotServedError as error:
        yield Change("output", str(error), True)
        return
    if shape != entry["output"]:
        yield Change("output", f"answers with {shape}, not {entry['output']}", True)


def _input(
    target: str, parameter: Entry, source: Mapping[str, Any], published: Published, inputs: Inputs
) -> Iterator[Change]:
    if target not in published.inputs:
        yield Change("input", "is gone", True, target)
    elif not unchanged(target, source, published):
        today = inputs.parameter(target)
        if today is None:
            why = str(inputs.obstacle(target)).removeprefix(f"{target} ")
            yield Change("input", why, True, target)
            return
        for message, breaks in differences(parameter, today):
            if breaks or source:
                yield Change("input", message, breaks, target)


def _new(target: str, source: Mapping[str, Any], inputs: Inputs) -> Iterator[Change]:
    today, obstacle = inputs.parameter(target), inputs.obstacle(target)
    needed = obstacle.required if obstacle else bool(today and today.get("required"))
    if needed:
        yield Change("new", "is new and required" if source else "is required", True, target)
    elif source and today is not None:
        yield Change("new", f"is new: {today['type']}", False, target)


def _constants(entry: Entry, published: Published, inputs: Inputs) -> Iterator[Change]:
    """What the entry always sends, or computes: each value must still be one."""
    sent = {target: [value] for target, value in entry.get("fixed", {}).items()}
    sent |= {target: list(each["choices"]) for target, each in entry.get("derived", {}).items()}
    for target, values in sent.items():
        if target not in published.inputs:
            yield Change("input", "is gone", True, target)
            continue
        today = inputs.parameter(target)
        refused = [value for value in values if today is None or not _takes(today, value)]
        if refused:
            yield Change("input", f"does not take {_listed(refused)} any more", True, target)


def differences(before: Entry, today: Entry) -> Iterator[tuple[str, bool]]:
    """(what differs, whether it breaks the entry) between two parameters for one input."""
    if today.get("required") and not before.get("required") and before.get("default") is None:
        yield "is required now", True
    if before.get("required") and not today.get("required"):
        yield "may be left out now", False
    if before.get("nullable") and not today.get("nullable"):
        yield "does not take null any more", True
    if "values" not in before and not _kinds_agree(before, today):
        yield f"takes {_kind(today)}, not {_kind(before)}", True
        return
    yield from _choices(before, today)
    if "enum" not in before:
        yield from _bounds(before, today)
    if before.get("default") != today.get("default") and "values" not in before:
        words = [
            shown(each["default"]) if "default" in each else "none" for each in (before, today)
        ]
        yield f"default {words[0]} → {words[1]}", False


def _kinds_agree(before: Entry, today: Entry) -> bool:
    """A whole number is a number; an address is text."""
    if (before["type"] == "array") is not (today["type"] == "array"):
        return False
    kinds = (before.get("items", before["type"]), today.get("items", today["type"]))
    return kinds[0] == kinds[1] or kinds in {("integer", "number"), ("uri", "string")}


def _kind(entry: Entry) -> str:
    return f"a list of {entry['items']}" if entry["type"] == "array" else str(entry["type"])


def _choices(before: Entry, today: Entry) -> Iterator[tuple[str, bool]]:
    values = before.get("values")
    offered = list(values.values()) if values else before.get("enum")
    accepted = today.get("enum")
    if accepted is not None and offered is None:
        yield f"takes only {_listed(accepted)}", True
    elif accepted is not None and offered is not None:
        if gone := [each for each in offered if each not in accepted]:
            yield f"does not take {_listed(gone)} any more", True
        if more := [each for each in accepted if each not in offered]:
            yield f"takes {_listed(more)} as well", False
    elif offered is not None:
        if refused := [each for each in offered if not _takes(today, each)]:
            yield f"does not take {_listed(refused)} any more", True
        yield "takes other values as well", False


# (limit, what it is where there is none, the direction in which it takes more)
LIMITS = (
    ("minimum", -math.inf, -1),
    ("maximum", math.inf, 1),
    ("minItems", 0, -1),
    ("maxItems", 100, 1),
    ("maxLength", 10_000, 1),
)


def _bounds(before: Entry, today: Entry) -> Iterator[tuple[str, bool]]:
    for keyword, open_end, direction in LIMITS:
        old, new = before.get(keyword, open_end), today.get(keyword, open_end)
        if old != new:
            words = ["none" if each == open_end else shown(each) for each in (old, new)]
            yield f"{keyword} {words[0]} → {words[1]}", new * direction < old * direction
    old, new = before.get("multipleOf", 1), today.get("multipleOf", 1)
    if old != new:
        yield f"multipleOf {old} → {new}", old % new != 0


def _takes(parameter: Entry, value: Any) -> bool:
    return fault_of(rule_of(parameter), value) is None


def _listed(values: list[Any]) -> str:
    few = [shown(each) for each in values[:6]]
    return one_line(", ".join(few)) + (f" and {len(values) - 6} more" if len(values) > 6 else "")
