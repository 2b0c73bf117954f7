"""State machines as graphs: what follows what, what is known where."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.machines import MACHINE_NAMES, definition

State = dict[str, Any]
_REFERENCE = re.compile(r"(?<!\$)\$\.([A-Za-z_]\w*)")


def states(machine: str) -> dict[str, State]:
    found: dict[str, State] = definition(machine)["States"]
    return found


def tasks(machine: str) -> dict[str, State]:
    return {name: state for name, state in states(machine).items() if state["Type"] == "Task"}


def function_tasks(machine: str) -> dict[str, State]:
    """The states that call a function."""
    return {n: s for n, s in tasks(machine).items() if "FunctionName" in s["Parameters"]}


def all_tasks() -> list[tuple[str, str]]:
    """(machine, state) of every task there is."""
    return [(machine, name) for machine in MACHINE_NAMES for name in tasks(machine)]


def edges(state: State) -> Iterator[tuple[str, str]]:
    """(kind, target): kind is `next`, `choice` or `catch`."""
    if following := _following(state):
        yield "next", following
    for choice in state.get("Choices", ()):
        yield "choice", choice["Next"]
    for catcher in state.get("Catch", ()):
        yield "catch", catcher["Next"]


def reachable(machine: str, start: str) -> set[str]:
    found, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [target for _, target in edges(states(machine)[name])]
    return found


def happy_path(machine: str) -> list[str]:
    name = definition(machine)["StartAt"]
    path = [name]
    while following := _following(states(machine)[name]):
        name = following
        path.append(name)
    return path


def _following(state: State) -> str | None:
    """Where a state leads by itself; a choice, where none of its rules holds."""
    found: str | None = state.get("Next", state.get("Default"))
    return found


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def paths(value: Any) -> Iterator[str]:
    """Every reference path in Parameters and the like: the values of keys that end in `.$`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith(".$"):
                yield inner
            else:
                yield from paths(inner)


def needs(state: State) -> set[str]:
    """The parts of the document that the state reads: `job` for `$.job.jobId`."""
    read = [*paths(state.get("Parameters", {}))]
    read += [state[key] for key in ("ErrorPath", "CausePath", "OutputPath") if key in state]
    read += [choice["Variable"] for choice in state.get("Choices", ())]
    return {found for path in read for found in _REFERENCE.findall(path)}


def known(machine: str) -> dict[str, set[str]]:
    """What the document is sure to hold on entry to each state, on whichever way it came there."""
    start = definition(machine)["StartAt"]
    entry: dict[str, set[str]] = {start: set()}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        state = states(machine)[name]
        after = [
            (target, _after(state, entry[name])) for kind, target in edges(state) if kind != "catch"
        ]
        after += [
            (catcher["Next"], _with(entry[name], catcher["ResultPath"]))
            for catcher in state.get("Catch", ())
        ]
        for target, keys in after:
            merged = entry[target] & keys if target in entry else keys
            if entry.get(target) != merged:
                entry[target] = merged
                waiting.append(target)
    return entry


def _after(state: State, before: set[str]) -> set[str]:
    if state.get("ResultPath") == "$":
        return {key.removesuffix(".$") for key in state["ResultSelector"]}
    return _with(before, state.get("ResultPath"))


def _with(before: set[str], result_path: str | None) -> set[str]:
    return before | {result_path.removeprefix("$.")} if result_path else before


def substitutions(machine: str) -> set[str]:
    return set(re.findall(r"\$\{(\w+)\}", json.dumps(definition(machine))))
