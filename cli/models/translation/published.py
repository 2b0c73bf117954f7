"""A model as the provider publishes it, read leniently from its documents."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cli.models.translation.reference import Reference
from cli.models.translation.schema import POINTER, is_number

_VERSION = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Published:
    """`schemas` are the components of the version's OpenAPI document, among them Input and Output.

    `version` is None where the provider names none (official models may hide it). `example` is the input
    and `sample` the output of the model's example; `run_seconds` is how long that took, if it came to its
    end.
    """

    reference: Reference
    official: bool
    version: str | None
    description: str
    schemas: Mapping[str, Any]
    created_at: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)
    sample: Any = None
    run_seconds: float | None = None

    @classmethod
    def read(
        cls,
        reference: Reference,
        model: Mapping[str, Any],
        version: Mapping[str, Any] | None,
    ) -> Self:
        """`model` is the provider's document of the model, `version` that of the version meant."""
        version = version or {}
        schemas = object_in(
            object_in(object_in(version, "openapi_schema"), "components"), "schemas"
        )
        example = object_in(model, "default_example")
        finished = example.get("status") in {None, "succeeded"}
        seconds = object_in(example, "metrics").get("predict_time")
        number = str(version.get("id") or "")
        return cls(
            reference=reference,
            official=model.get("is_official") is True,
            version=number if _VERSION.fullmatch(number) else None,
            description=str(model.get("description") or ""),
            schemas=schemas,
            created_at=str(version.get("created_at") or ""),
            example=object_in(example, "input"),
            sample=example.get("output"),
            run_seconds=seconds if finished and is_number(seconds) and seconds > 0 else None,
        )

    @property
    def input(self) -> Mapping[str, Any]:
        return object_in(self.schemas, "Input")

    @property
    def output(self) -> Any:
        return self.schemas.get("Output", {})

    @property
    def inputs(self) -> dict[str, Any]:
        """The schema of each input, in the provider's order (`x-order`)."""
        properties = object_in(self.input, "properties")

        def place(name: str) -> tuple[float, int]:
            order = properties[name].get("x-order") if isinstance(properties[name], dict) else None
            known = order if isinstance(order, int | float) else len(properties)
            return known, list(properties).index(name)

        return {name: properties[name] for name in sorted(properties, key=place)}

    @property
    def required(self) -> frozenset[str]:
        required = self.input.get("required")
        return frozenset(map(str, required)) if isinstance(required, list) else frozenset()

    @property
    def digest(self) -> str:
        """SHA-256 of what Input and Output say, with the components they lead to and no others."""
        return _sha256(
            self._reached([{"$ref": f"{POINTER}{name}"} for name in ("Input", "Output")])
        )

    def input_digest(self, name: str) -> str:
        """Of one input and the components it leads to."""
        return self._part({"of": self.inputs.get(name), "required": name in self.required})

    @property
    def output_digest(self) -> str:
        return self._part(self.output)

    def _part(self, schema: Any) -> str:
        return _sha256([schema, self._reached(schema)])[:8]

    def _reached(self, schema: Any) -> dict[str, Any]:
        """The components that a schema leads to."""
        found: dict[str, Any] = {}
        pending = [schema]
        while pending:
            part = pending.pop()
            if isinstance(part, list):
                pending += part
            elif isinstance(part, dict):
                pending += part.values()
                name = str(part.get("$ref", "")).removeprefix(POINTER)
                if name in self.schemas and name not in found:
                    found[name] = self.schemas[name]
                    pending.append(found[name])
        return found


def object_in(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Empty where there is none."""
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
