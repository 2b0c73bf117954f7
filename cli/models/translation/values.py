"""One value's rules, as a parameter of the catalogue has them: type, choices, bounds, lengths."""

import math
from typing import Any, Final, Literal

from cli.models.translation.schema import Resolved, described, is_number
from cli.models.translation.wording import shown
from vsl.domain.catalogue.validation import MAX_TEXT_CHARACTERS

Why = Literal["secret", "object", "items", "type", "reference", "name", "input", "output"]
_SCALARS: Final = {"string", "integer", "number", "boolean"}
_SECRET_FORMATS = {"password"}
_MOST_ITEMS = 1000


class NotServedError(ValueError):
    """A value that no parameter can carry; `why` is the kind of reason, the message the reason."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


def rules_of(value: Resolved, member: Resolved | None, remarks: list[str]) -> dict[str, Any]:
    """`type` and what goes with it, without the default. `member` is that of a list. `remarks` gets what
    the catalogue's rules say otherwise than the schema, in sentences.

    Raises NotServedError.
    """
    if is_secret(value):
        raise NotServedError("secret", "is a secret, and a job's parameters can be read")
    if value.forms:
        forms = " or ".join(dict.fromkeys(map(described, value.forms)))
        raise NotServedError("type", f"takes {forms}; a parameter has one type")
    if value.type == "array":
        return _array(member, value, remarks)
    if value.type == "object":
        raise NotServedError("object", "is an object; parameters are plain values or lists of them")
    return _scalar(value, remarks)


def is_secret(value: Resolved) -> bool:
    marked = value.get("x-cog-secret") is True or value.get("format") in _SECRET_FORMATS
    return marked or any(is_secret(form) for form in value.forms)


def _array(member: Resolved | None, value: Resolved, remarks: list[str]) -> dict[str, Any]:
    if member is None or member.forms or member.type not in _SCALARS:
        what = described(member) if member else "values of no declared type"
        raise NotServedError("items", f"is a list whose members are each {what}")
    if is_secret(member):
        raise NotServedError("secret", "is a list of secrets")
    rules = _scalar(member, remarks)
    found: dict[str, Any] = {"type": "array", "items": rules.pop("type")}
    for name, least in (("minItems", 0), ("maxItems", 1)):
        count = value.get(name)
        if isinstance(count, int) and not isinstance(count, bool) and count >= least:
            found[name] = min(count, _MOST_ITEMS)
    return found | rules


def _scalar(value: Resolved, remarks: list[str]) -> dict[str, Any]:
    kind = _type(value)
    if kind == "string" and value.get("format") in {"uri", "url"}:
        return {"type": "uri"}
    if kind == "string" and value.get("format") in {"binary", "byte"}:
        raise NotServedError("type", "is raw bytes")
    found: dict[str, Any] = {"type": kind}
    choices = _choices(value, kind)
    if choices is not None:
        return found | {"enum": choices}
    if kind == "string":
        found |= _length(value, remarks)
    elif kind != "boolean":
        found |= _bounds(value, kind, remarks)
    return found


def _type(value: Resolved) -> str:
    """The declared type, else the one that all choices have."""
    kind, choices = value.type, value.get("enum")
    if kind in _SCALARS:
        return str(kind)
    kinds = {_kind_of(choice) for choice in choices} if isinstance(choices, list) else set()
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    if len(kinds) == 1 and kinds <= _SCALARS:
        return str(kinds.pop())
    if kinds:
        raise NotServedError("type", "takes choices of several types; a parameter has one type")
    raise NotServedError("type", "has no declared type")


def _kind_of(value: object) -> str:
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


def _choices(value: Resolved, kind: str) -> list[Any] | None:
    choices = value.get("enum")
    if not isinstance(choices, list) or not choices:
        return None
    return list(dict.fromkeys(_typed(choice, kind) for choice in choices))


def _length(value: Resolved, remarks: list[str]) -> dict[str, Any]:
    if isinstance(pattern := value.get("pattern"), str):
        remarks.append(f"the provider also wants it to match {shown(pattern)}")
    least = value.get("minLength")
    if isinstance(least, int) and least > 1:
        remarks.append(f"the provider also wants {least} characters at least")
    most = value.get("maxLength")
    if not isinstance(most, int) or most <= 0 or most >= MAX_TEXT_CHARACTERS:
        return {}
    return {"maxLength": most}


def _bounds(value: Resolved, kind: str, remarks: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, round_inward, step in (("minimum", math.ceil, 1), ("maximum", math.floor, -1)):
        bound, open_bound = value.get(name), value.get(f"exclusive{name.capitalize()}")
        if open_bound is True:  # as JSON Schema had it at first
            open_bound = bound
        if is_number(open_bound) and (not is_number(bound) or open_bound * step >= bound * step):
            bound = open_bound
            if kind == "integer":
                bound = round_inward(bound) if bound != round_inward(bound) else int(bound) + step
            else:
                remarks.append(f"the provider refuses {shown(bound)} itself")
        if not is_number(bound):
            continue
        found[name] = round_inward(bound) if kind == "integer" else _typed(bound, kind)
    if len(found) == 2 and found["minimum"] > found["maximum"]:
        remarks.append(f"its range {found['minimum']} to {found['maximum']} is empty: left open")
        found = {}
    multiple = value.get("multipleOf")
    if is_number(multiple) and kind == "integer" and multiple == int(multiple) and multiple > 1:
        found["multipleOf"] = int(multiple)
    elif is_number(multiple) and multiple != 1:
        remarks.append(f"the provider also wants a multiple of {shown(multiple)}")
    return found


def _typed(value: Any, kind: str) -> Any:
    """8.0 is the integer 8, and so is a number that has no need of a point."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**63
    return int(value) if whole and kind in {"integer", "number"} else value
