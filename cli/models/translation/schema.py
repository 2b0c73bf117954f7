"""One schema without its references and unions: `$ref`, `allOf`, `anyOf`, `oneOf`, `const`, nullable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_POINTER = "#/components/schemas/"
_DEPTH = 40
_NUMERIC = {"integer", "number"}
# What cog writes over every enumeration.
_EMPTY_WORDS = "An enumeration."


class UnreadableSchemaError(ValueError):
    """A schema that leads nowhere or to itself; the message says where."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """`keywords` are those of one plain schema; of a union with several forms it is the first that
    can be served, and `others` names the rest."""

    keywords: Mapping[str, Any]
    nullable: bool = False
    others: tuple[str, ...] = ()

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
    others = tuple(other for part in parts for other in part.others)
    return _without_null(merged, nullable, others)


_COMPOSING = {"$ref", "allOf", "anyOf", "oneOf", "nullable"}


def _without_null(keywords: dict[str, Any], nullable: bool, others: tuple[str, ...]) -> Resolved:
    """`null` as a type or as a member of an enumeration means nullable."""
    kind = keywords.get("type")
    if isinstance(kind, list):
        kinds = [each for each in kind if each != "null"]
        nullable = nullable or len(kinds) < len(kind)
        forms = [Resolved({**keywords, "type": each}) for each in kinds]
        if not forms:
            return Resolved({**keywords, "type": "null"}, True, others)
        united = _union(forms)
        keywords, others = dict(united.keywords), (*others, *united.others)
    members = keywords.get("enum")
    if isinstance(members, list) and None in members:
        keywords = {**keywords, "enum": [each for each in members if each is not None]}
        nullable = True
    return Resolved(keywords, nullable, others)


def _target(pointer: str, schemas: Mapping[str, Any]) -> Any:
    name = pointer.removeprefix(_POINTER).replace("~1", "/").replace("~0", "~")
    if not pointer.startswith(_POINTER) or name not in schemas:
        raise UnreadableSchemaError(f"its schema refers to {pointer}, which is not there")
    return schemas[name]


def _union(forms: Sequence[Resolved]) -> Resolved:
    nullable = any(form.nullable or form.type == "null" for form in forms)
    others = tuple(other for form in forms for other in form.others)
    rest = [form for form in forms if form.type != "null"]
    if not rest:
        return Resolved({"type": "null"}, True, others)
    if len(rest) == 1:
        return Resolved(rest[0].keywords, nullable, others)
    if all(isinstance(form.get("enum"), list) for form in rest):
        members = [member for form in rest for member in form.get("enum")]
        kinds = {form.type for form in rest}
        kind = {"type": rest[0].type} if len(kinds) == 1 else {}
        return Resolved({**kind, "enum": members}, nullable, others)
    if all(form.type in _NUMERIC for form in rest):
        return Resolved(_number_of(rest), nullable, others)
    first = next((form for form in rest if form.type not in {None, "object"}), rest[0])
    left = tuple(described(form) for form in rest if form is not first)
    return Resolved(first.keywords, nullable, (*others, *left))


def _number_of(forms: Sequence[Resolved]) -> dict[str, Any]:
    """Integer or number, with the wider bounds: a whole number is a number."""
    kinds = {form.type for form in forms}
    found: dict[str, Any] = {"type": "number" if "number" in kinds else "integer"}
    for bound, wider in (("minimum", min), ("maximum", max)):
        values = [form.get(bound) for form in forms]
        if all(isinstance(value, int | float) for value in values):
            found[bound] = wider(values)
    return found


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both hold: of two ranges the narrower, of two enumerations what they share."""
    merged = {**first, **second}
    if merged.get("description") == _EMPTY_WORDS:
        del merged["description"]
    for keyword, narrower in (("minimum", max), ("maximum", min)):
        values = [each[keyword] for each in (first, second) if _is_number(each.get(keyword))]
        if len(values) == 2:
            merged[keyword] = narrower(values)
    if isinstance(first.get("enum"), list) and isinstance(second.get("enum"), list):
        merged["enum"] = [each for each in first["enum"] if each in second["enum"]]
    if isinstance(first.get("properties"), dict) and isinstance(second.get("properties"), dict):
        merged["properties"] = {**first["properties"], **second["properties"]}
    return merged


def described(form: Resolved) -> str:
    """A form in a word or two: `text`, `a list of files`."""
    words = {
        "string": "a file" if form.get("format") == "uri" else "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "object": "an object",
        "array": "a list",
    }
    return words.get(form.type or "", "a value of no declared type")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
