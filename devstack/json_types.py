"""The names of JSON's types, by those of Python."""

from collections.abc import Mapping

_NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
}
JSON_TYPES = frozenset({*_NAMES.values(), "object"})


def json_type(value: object) -> str:
    """As JSON Schema names the type of a decoded value."""
    return _NAMES.get(type(value), "object")
