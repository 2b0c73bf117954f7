"""The JSON of a request, read strictly: what no store holds, and what readers disagree about, is a
fault with its path.

That is halves of surrogate pairs, numbers that are not finite, names that come twice and values
nested without end. They are found here because Step Functions and API Gateway answer for them as
if a service were down. A refusal is logged: it repeats no text that a user wrote.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vsl.domain.errors import InvalidRequest
from vsl.domain.suggestions import named

MAX_DEPTH = 100
_MAX_FAULTS = 20
_MAX_DIGITS = 300
_SHOWN_PARTS = 5

# A text that is not closed is taken to the end: to look for its end at each quote is quadratic.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\],:]', re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]")

type Path = tuple[str, ...]


def read_request(text: str) -> Any:
    """The value. Raises InvalidRequest whose `details.fields` names each fault's place."""
    _check_depth(text)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_int=_integer)
    except (ValueError, RecursionError):
        raise _invalid([((), "is not valid JSON")]) from None
    check_values(value)
    return value


def check_values(value: object) -> None:
    """For JSON that something else has read. Raises InvalidRequest, as above."""
    faults = []
    for fault in _faults(value):
        faults.append(fault)
        if len(faults) == _MAX_FAULTS:
            break
    if faults:
        raise _invalid(faults)


def _faults(value: object) -> Iterator[tuple[Path, str]]:
    waiting: list[tuple[Path, object]] = [((), value)]
    while waiting:
        path, found = waiting.pop()
        if isinstance(found, str):
            half = _SURROGATE.search(found)
            if half:
                where = f"(U+{ord(half[0]):04X}) at position {half.start()}"
                yield path, f"has half of a surrogate pair {where}"
        elif isinstance(found, float):
            if not math.isfinite(found):
                yield path, "must be a finite number"
        elif isinstance(found, Mapping | list | tuple):
            if len(path) >= MAX_DEPTH:
                yield path, _TOO_DEEP
                continue
            if isinstance(found, Mapping):
                if any(isinstance(name, str) and _SURROGATE.search(name) for name in found):
                    yield path, "has a name with half of a surrogate pair"
                inner = [((*path, named(name)), each) for name, each in found.items()]
            else:
                inner = [((*path, f"[{index}]"), each) for index, each in enumerate(found)]
            waiting += reversed(inner)


_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"


def _check_depth(text: str) -> None:
    """Before the text is read, because reading what is nested without end fails without a path."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    path: list[str] = []
    name = ""
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            if len(path) >= MAX_DEPTH:
                raise _invalid([(tuple(path), _TOO_DEEP)])
            path.append("" if sign == "{" else "[0]")
        elif sign.startswith('"'):
            name = sign[1:-1]
        elif path and sign in "}]":
            path.pop()
        elif path:
            path[-1] = named(name) if sign == ":" else _next(path[-1])


def _next(part: str) -> str:
    """What comes after a comma: another entry of a list, or a member whose name is to come."""
    return f"[{int(part[1:-1]) + 1}]" if part.startswith("[") else part


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _invalid([((named(name),), "comes twice")])
        found[name] = value
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else math.inf


def _invalid(faults: list[tuple[Path, str]]) -> InvalidRequest:
    return InvalidRequest.of((_place(path), message) for path, message in faults)


def _place(path: Path) -> str:
    shown = path if len(path) <= _SHOWN_PARTS + 2 else (*path[:_SHOWN_PARTS], "…")
    return ".".join(shown).replace(".[", "[") or "body"
