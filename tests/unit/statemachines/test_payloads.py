"""Every path that the state machines read is there by then, and is what the function is called with.

A document grows along each machine. Its shape is followed through the graph as types: what a state may
find is what every way to it has put there.
"""

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints

import pytest

from tests.support.machines import MACHINE_NAMES, definition
from tests.unit.statemachines.graph import function_tasks, states
from vsl.domain.jobs.job import JobDocument
from vsl.domain.predictions.prediction import OutcomeDocument
from vsl.runtime import payloads
from vsl.runtime.handler import Response

# What a machine is started with, and what an answered task token brings, are Any: the first is checked
# by ValidateRequest, the second is an outcome.
TOKEN_RESULT = OutcomeDocument
ERROR = {"Error": str, "Cause": str}
_CONTEXT = {
    "$$.Execution.Id": str,
    "$$.Execution.Name": str,
    "$$.Execution.StartTime": str,
    "$$.State.EnteredTime": str,
    "$$.Task.Token": str,
}
# A document, by the names in it; anything else is a type.
Shape = Any


class PathError(Exception):
    """A path that leads nowhere."""


def function_of(state: Mapping[str, Any]) -> str:
    return str(state["Parameters"]["FunctionName"]).removeprefix("${").removesuffix("FunctionArn}")


def payload(function: str, kind: str) -> Any:
    return getattr(payloads, function + kind, None)


def fields(shape: Shape) -> dict[str, Shape] | None:
    """The names in a document, None for what is none or may hold any."""
    if isinstance(shape, dict):
        return shape
    if typing.is_typeddict(shape):
        hints = get_type_hints(shape, include_extras=True)
        return {name: _plain(hint) for name, hint in hints.items()}
    members = [each for each in get_args(shape) if each is not type(None)]
    if get_origin(shape) in {Union, types.UnionType} and len(members) == 1:
        return fields(members[0])
    return None


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is NotRequired else hint


def follow(path: str, shape: Shape) -> Shape:
    """What a reference path finds in a document. Raises PathError."""
    for name in path.split(".")[1:]:
        known = fields(shape)
        if known is None:
            if shape is Any or "Mapping" in str(shape):
                return Any
            raise PathError(f"{path}: {shape} has no fields")
        if name not in known:
            raise PathError(f"{path}: there is no {name} among {sorted(known)}")
        shape = known[name]
    return shape


def built(template: Any, document: Shape) -> Shape:
    """What Parameters or a ResultSelector make of a document."""
    if not isinstance(template, dict):
        return type(template)
    made: dict[str, Shape] = {}
    for name, value in template.items():
        if not name.endswith(".$"):
            made[name] = built(value, document)
        elif value.startswith("$$"):
            made[name[:-2]] = _CONTEXT[value]
        elif value.startswith("States."):
            for path in re.findall(r"(?<!\$)\$\.[\w.]+", value):
                follow(path, document)
            made[name[:-2]] = Any if "JsonMerge" in value else str
        else:
            made[name[:-2]] = follow(value, document)
    return made


def result_of(state: Mapping[str, Any], document: Shape) -> Shape:
    if state["Type"] == "Pass":
        return built(state["Parameters"], document) if "Parameters" in state else Any
    given = built(state.get("Parameters", {}), document)
    result: Shape = Any
    if "FunctionName" in given:
        waits = state["Resource"].endswith("waitForTaskToken")
        output = payload(function_of(state), "Output") or Response
        result = TOKEN_RESULT if waits else {"Payload": output}
    if "ResultSelector" in state:
        result = built(state["ResultSelector"], result)
    return result


def placed(path: str | None, value: Shape, document: Shape) -> Shape:
    if path is None:
        return document
    if path == "$":
        return value
    return {**(fields(document) or {}), path.removeprefix("$."): value}


def joined(one: Shape | None, other: Shape) -> Shape:
    """What is there whichever of two ways led here."""
    if one is None or one is Any:
        return other
    known, more = fields(one), fields(other)
    if known is None or more is None:
        return one
    return {name: shape for name, shape in known.items() if name in more}


def documents(machine: str) -> Iterator[tuple[str, Mapping[str, Any], Shape]]:
    """(name, state, the document that every way to it brings). Raises PathError on the way."""
    all_states = states(machine)
    found: dict[str, Shape] = {definition(machine)["StartAt"]: Any}
    for _ in range(len(all_states)):
        for name in list(found):
            state, document = all_states[name], found[name]
            done = document
            if state["Type"] in {"Task", "Pass"}:
                done = placed(state.get("ResultPath", "$"), result_of(state, document), document)
            ways = [(state.get("Next"), done), (state.get("Default"), done)]
            ways += [(choice["Next"], done) for choice in state.get("Choices", ())]
            ways += [
                (catch["Next"], placed(catch.get("ResultPath", "$"), ERROR, document))
                for catch in state.get("Catch", ())
            ]
            for target, brought in ways:
                if target:
                    found[target] = joined(found.get(target), brought)
    for name, document in found.items():
        yield name, all_states[name], document


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_every_path_leads_to_something(machine: str) -> None:
    reached = {name: document for name, _, document in documents(machine)}
    assert reached.keys() == states(machine).keys()


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_a_choice_reads_what_is_there(machine: str) -> None:
    for _, state, document in documents(machine):
        for choice in state.get("Choices", ()):
            follow(choice["Variable"], document)


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_a_function_is_called_with_what_it_takes(machine: str) -> None:
    called = 0
    for name, state, document in documents(machine):
        if name not in function_tasks(machine):
            continue
        taken = payload(function_of(state), "Input")
        given = built(state["Parameters"], document)["Payload"]
        assert taken.__required_keys__ <= given.keys() <= get_type_hints(taken).keys(), name
        expected = get_type_hints(taken)
        for field, shape in given.items():
            known, wanted = fields(shape), fields(expected[field])
            if known is not None and wanted is not None and typing.is_typeddict(expected[field]):
                assert expected[field].__required_keys__ <= known.keys(), (name, field)
        called += 1
    assert called == len(function_tasks(machine))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$.job.jobID", "no jobID"),
        ("$.jobs", "no jobs"),
        ("$.job.jobId.text", "has no fields"),
        ("$.admission.first", "no first"),
    ],
)
def test_a_path_that_leads_nowhere_is_seen(path: str, message: str) -> None:
    document = {"job": JobDocument, "admission": {"validatedAt": str}}
    with pytest.raises(PathError, match=message):
        follow(path, document)


def test_what_one_way_alone_brings_is_not_relied_on() -> None:
    assert joined({"job": str, "error": str}, {"job": str}) == {"job": str}
