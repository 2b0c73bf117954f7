"""CloudFormation's intrinsic functions, resolved here for what the engine does not keep.

The engine resolves them in what it deploys, but drops most of an API's OpenAPI body and a few
properties; those are taken from the template and resolved against the deployed stack.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class UnresolvedError(ValueError):
    """The template refers to something the stack does not have."""


class _NoValue:
    """`AWS::NoValue`: the property is left out."""


NO_VALUE = _NoValue()


class Resolver:
    """`values` are parameters, pseudo parameters and physical ids by name; `attribute` finds GetAtt."""

    def __init__(
        self,
        template: Mapping[str, Any],
        values: Mapping[str, Any],
        attribute: Callable[[str, str], str],
    ) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        self._values = {"AWS::NoValue": NO_VALUE, **values}
        self._attribute = attribute
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": lambda a: str(a[0]).join(map(str, self.resolve(a[1]))),
            "Fn::Select": lambda a: self.resolve(a[1])[int(self.resolve(a[0]))],
            "Fn::Split": lambda a: str(self.resolve(a[1])).split(a[0]),
            "Fn::If": lambda a: self.resolve(a[1] if self.condition(a[0]) else a[2]),
            "Fn::Equals": lambda a: str(self.resolve(a[0])) == str(self.resolve(a[1])),
            "Fn::And": lambda a: all(self.resolve(each) for each in a),
            "Fn::Or": lambda a: any(self.resolve(each) for each in a),
            "Fn::Not": lambda a: not self.resolve(a[0]),
            "Fn::FindInMap": self._find_in_map,
            "Condition": self.condition,
        }

    def resolve(self, value: Any) -> Any:
        """A copy with every function replaced. Raises UnresolvedError."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions and (
                    name != "Condition" or str(argument) in self._conditions
                ):
                    return self._functions[name](argument)
            resolved = {key: self.resolve(inner) for key, inner in value.items()}
            return {key: inner for key, inner in resolved.items() if inner is not NO_VALUE}
        if isinstance(value, list):
            return [inner for inner in map(self.resolve, value) if inner is not NO_VALUE]
        return value

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            raise UnresolvedError(f"The template has no condition {name!r}.")
        return bool(self.resolve(self._conditions[name]))

    def _ref(self, name: str) -> Any:
        if name not in self._values:
            raise UnresolvedError(f"Ref {name!r}: the stack has no such parameter or resource.")
        return self._values[name]

    def _get_att(self, argument: Any) -> str:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(str(parts[0]), str(parts[1]))

    def _sub(self, argument: Any) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else argument

        def replace(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return "${" + name + "}"
            if name in local:
                return str(self.resolve(local[name]))
            if name in self._values or "." not in name:
                return str(self._ref(name))
            return self._get_att(name)

        return _PLACEHOLDER.sub(replace, text)

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = (self.resolve(each) for each in argument)
        try:
            return self._mappings[name][first][second]
        except KeyError as error:
            raise UnresolvedError(f"FindInMap {argument!r}: no entry {error}.") from None
