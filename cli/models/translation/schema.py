"""One schema without its references and unions: `$ref`, `allOf`, `anyOf`, `oneOf`, `const`, nullable."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

POINTER = "#/components/schemas/"
_COMPOSING = {"$ref", "allOf", "anyOf", "oneOf", "nullable"}
_DEPTH = 40
_NUMERIC = {"integer", "number"}
# What cog writes over every enumeration.
_EMPTY_WORDS = "An enumeration."


class UnreadableSchemaError(ValueError):
    """A schema that leads nowhere or to itself; the message says where."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """`keywords` are those of one plain schema. `forms` are the members of a union that no single
    schema can say; `keywords` are then those beside the union."""

    keywords: Mapping[str, Any]
    nullable: bool = False
    forms: tuple["Resolved", ...] = ()

    @property
    def type(self) -> str | None:
        found = self.keywords.get("type")
        return found if isinstance(found, str) else None

    def get(self, keyword: str) -> Any:
        return self.keywords.get(keyword)


def resolve(schema: Any, schemas: Mapping[str, Any]) -> Resolved:
    """Raises UnreadableSchemaError."""
    return _resolve(schema, schemas, ())


def _resolve(schema: Any, schemas: Mapping[str, Any], path: tuple[str, ...]) -> Resolved:
    if len(path) > _DEPTH:
        raise UnreadableSchemaError("its schema is nested too deeply")
    if not isinstance(schema, dict):
        return Resolved({})
    own = {key: value for key, value in schema.items() if key not in _COMPOSING}
    parts: list[Resolved] = []
    if "$ref" in schema:
        name = str(schema["$ref"])
        if name in path:
            raise UnreadableSchemaError(f"its schema leads to itself ({name})")
        parts.append(_resolve(_target(name, schemas), schemas, (*path, name)))
    parts += [_resolve(part, schemas, (*path, "allOf")) for part in _list(schema.get("allOf"))]
    for union in ("anyOf", "oneOf"):
        if forms := _list(schema.get(union)):
            parts.append(_union([_resolve(form, schemas, (*path, union)) for form in forms]))
    nullable = any(part.nullable for part in parts) or schema.get("nullable") is True
    if "const" in own:
        own["enum"] = [own.pop("const")]
    merged: dict[str, Any] = {}
    for each in (*(part.keywords for part in parts), own):
        merged = _merged(merged, each)
    forms_left = tuple(form for part in parts for form in part.forms)
    return _without_null(merged, nullable, forms_left)


def _without_null(
    keywords: dict[str, Any], nullable: bool, forms: tuple[Resolved, ...]
) -> Resolved:
    """`null` as a type or as a member of an enumeration means nullable."""
    kind = keywords.get("type")
    if isinstance(kind, list):
        kinds = [{"type": each} for each in kind]
        united = _union([Resolved({**keywords, **each}) for each in kinds])
        return Resolved(united.keywords, nullable or united.nullable, (*forms, *united.forms))
    members = keywords.get("enum")
    if isinstance(members, list) and None in members:
        keywords = {**keywords, "enum": [each for each in members if each is not None]}
        nullable = True
    return Resolved(keywords, nullable, forms)


def _target(pointer: str, schemas: Mapping[str, Any]) -> Any:
    name = pointer.removeprefix(POINTER).replace("~1", "/").replace("~0", "~")
    if not pointer.startswith(POINTER) or name not in schemas:
        raise UnreadableSchemaError(f"its schema refers to {pointer}, which is not there")
    return schemas[name]


def _union(members: Sequence[Resolved]) -> Resolved:
    """One schema for all members, if there is one: they are numbers, choices, or all but one null."""
    nullable = any(member.nullable or member.type == "null" for member in members)
    rest = [member for member in members if member.type != "null"]
    if not rest:
        return Resolved({"type": "null"}, nullable)
    if len(rest) == 1:
        return Resolved(rest[0].keywords, nullable, rest[0].forms)
    kinds = {member.type for member in rest}
    if all(isinstance(member.get("enum"), list) for member in rest) and len(kinds) == 1:
        choices = [choice for member in rest for choice in member.get("enum")]
        return Resolved({**rest[0].keywords, "enum": choices}, nullable)
    if kinds <= _NUMERIC:
        return Resolved(_number_of(rest), nullable)
    return Resolved({}, nullable, tuple(rest))


def _number_of(members: Sequence[Resolved]) -> dict[str, Any]:
    """Integer or number, with the wider bounds: a whole number is a number."""
    kinds = {member.type for member in members}
    found: dict[str, Any] = {"type": "number" if "number" in kinds else "integer"}
    for bound, wider in (("minimum", min), ("maximum", max)):
        values = [member.get(bound) for member in members]
        if all(is_number(value) for value in values):
            found[bound] = wider(values)
    return found


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both hold: of two ranges the narrower, of two enumerations what they share."""
    merged = {**first, **second}
    if merged.get("description") == _EMPTY_WORDS:
        del merged["description"]
    for keyword, narrower in (("minimum", max), ("maximum", min)):
        values = [each[keyword] for each in (first, second) if is_number(each.get(keyword))]
        if len(values) == 2:
            merged[keyword] = narrower(values)
    if isinstance(first.get("enum"), list) and isinstance(second.get("enum"), list):
        merged["enum"] = [each for each in first["enum"] if each in second["enum"]]
    if isinstance(first.get("properties"), dict) and isinstance(second.get("properties"), dict):
        merged["properties"] = {**first["properties"], **second["properties"]}
    return merged


def described(form: Resolved) -> str:
    """A form in a word or two: `text`, `a list`."""
    words = {
        "string": "a file" if form.get("format") == "uri" else "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "object": "an object",
        "array": "a list",
    }
    return words.get(form.type or "", "a value of no declared type")


def is_number(value: object) -> TypeGuard[int | float]:
    """A finite one; a truth is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
