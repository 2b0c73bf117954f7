"""template.yaml as a deployment with certain parameters has it."""

from collections.abc import Mapping
from typing import Any

from devstack.intrinsics import Resolver
from devstack.paths import TEMPLATE
from devstack.template import load_yaml


class StageTemplate:
    """`given` are parameters and pseudo parameters; the others have their defaults."""

    def __init__(self, given: Mapping[str, str]) -> None:
        template = load_yaml(TEMPLATE)
        defaults = {n: str(d.get("Default", "")) for n, d in template["Parameters"].items()}
        self.parameters = {**defaults, **given}
        self.resources: dict[str, dict[str, Any]] = template["Resources"]
        self._resolver = Resolver(template, self.parameters, lambda _name, what: what)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The properties of the resources of a type."""
        return [each["Properties"] for each in self.resources.values() if each["Type"] == kind]

    def resolve(self, part: Any) -> Any:
        return self._resolver.resolve(part)
