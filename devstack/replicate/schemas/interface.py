"""What a model takes and gives, read off its OpenAPI document.

The documents are those cog writes: `Input` and `Output` among the components, choices behind
`$ref` or `allOf`, values that may be null by `nullable` or a union with null.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

Schema = Mapping[str, Any]
_PREFIX = "#/components/schemas/"
_UNORDERED = 10**6  # where properties without `x-order` stand


class Interface:
    """The inputs and the output of one version; a reference that leads nowhere allows anything."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        named = _mapping(_mapping(document.get("components")).get("schemas"))
        self._named: Mapping[str, Schema] = {name: _mapping(each) for name, each in named.items()}

    @cached_property
    def input(self) -> Schema:
        return self.resolve(self._named.get("Input", {}))

    @cached_property
    def inputs(self) -> Mapping[str, Schema]:
        """Each input with its references followed, in the order forms show them."""
        properties = _mapping(self.input.get("properties"))
        resolved = {name: self.resolve(_mapping(each)) for name, each in properties.items()}
        order = {name: each.get("x-order", _UNORDERED) for name, each in resolved.items()}
        return {name: resolved[name] for name in sorted(resolved, key=order.__getitem__)}

    @cached_property
    def output(self) -> Schema:
        return self.resolve(self._named.get("Output", {}))

    @property
    def grows(self) -> bool:
        """True for an output that is a list and gets longer while the model runs."""
        return self.output.get("x-cog-array-type") == "iterator"

    def resolve(self, schema: Schema) -> Schema:
        """The schema with `$ref` and `allOf` merged into it; what it says itself comes first.

        A union of one schema and null becomes that schema, nullable.
        """
        return self._resolved(schema, frozenset())

    def with_defaults(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The input that `predict()` gets: defaults filled in, unknown keys gone."""
        filled: dict[str, Any] = {}
        for name, schema in self.inputs.items():
            value = asked.get(name, schema.get("default"))
            whole = schema.get("type") == "integer" and isinstance(value, float)
            filled[name] = int(value) if whole else value  # 5.0 is an integer, too
        return filled

    def _resolved(self, schema: Schema, seen: frozenset[str]) -> Schema:
        merged: dict[str, Any] = {}
        parts = [{"$ref": schema["$ref"]}] if "$ref" in schema else schema.get("allOf", ())
        for part in parts:
            name = str(part.get("$ref", "")).removeprefix(_PREFIX)
            if name in seen:
                continue
            target = self._named.get(name, {}) if "$ref" in part else part
            merged |= self._resolved(target, seen | ({name} if name else set()))
        merged |= {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}
        for union in ("anyOf", "oneOf"):
            branches = merged.get(union, ())
            values = [branch for branch in branches if branch.get("type") != "null"]
            if len(values) < len(branches):
                merged["nullable"] = True
                merged[union] = values
            if len(values) == 1:
                del merged[union]
                merged = {**self._resolved(values[0], seen), **merged}
        return merged


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
