"""Building blocks of a model's input, and the OpenAPI document cog makes of them.

https://replicate.com/docs/reference/http#models.versions.get
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

UNSET: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a model. `default` is UNSET when the schema names none."""

    name: str
    type: str
    description: str = ""
    required: bool = False
    default: Any = UNSET
    enum: tuple[Any, ...] = ()
    within: tuple[float, float | None] | None = None
    format: str | None = None
    items: Mapping[str, Any] | None = None

    def property(self, order: int) -> dict[str, Any]:
        """The field as a property of cog's `Input` schema."""
        if self.enum:
            schema: dict[str, Any] = {"allOf": [{"$ref": f"#/components/schemas/{self.name}"}]}
        else:
            schema = {"type": self.type, "title": self.name.replace("_", " ").title()}
        minimum, maximum = self.within or (None, None)
        more = {"minimum": minimum, "maximum": maximum, "format": self.format, "items": self.items}
        schema |= {key: value for key, value in more.items() if value is not None}
        if self.default is not UNSET:
            schema["default"] = self.default
        if self.description:
            schema["description"] = self.description
        return schema | {"x-order": order}


def text(name: str, description: str = "", **more: Any) -> Field:
    return Field(name, "string", description, **more)


def choice(name: str, values: str, default: Any = UNSET, description: str = "") -> Field:
    """One of the words."""
    return Field(name, "string", description, default=default, enum=tuple(values.split()))


def whole(
    name: str,
    default: Any = UNSET,
    description: str = "",
    within: tuple[int, int | None] | None = None,
) -> Field:
    return Field(name, "integer", description, default=default, within=within)


def number(
    name: str, default: Any = UNSET, description: str = "", within: tuple[int, int] | None = None
) -> Field:
    return Field(name, "number", description, default=default, within=within)


def flag(name: str, default: Any = UNSET, description: str = "") -> Field:
    return Field(name, "boolean", description, default=default)


def uri(name: str, description: str = "", **more: Any) -> Field:
    return Field(name, "string", description, format="uri", **more)


def openapi(fields: Sequence[Field], output: Mapping[str, Any]) -> dict[str, Any]:
    """A version's `openapi_schema`: what cog generates from `predict()`'s signature."""
    properties = {field.name: field.property(order) for order, field in enumerate(fields)}
    required = [field.name for field in fields if field.required]
    inputs: dict[str, Any] = {"type": "object", "title": "Input", "properties": properties}
    if required:
        inputs["required"] = required
    schemas: dict[str, Any] = {"Input": inputs, "Output": {**output, "title": "Output"}}
    if output.get("type") == "object":
        schemas["Output"] = {"$ref": "#/components/schemas/ModelOutput", "title": "Output"}
        schemas["ModelOutput"] = {**output, "title": "ModelOutput"}
    for field in fields:
        if field.enum:
            enum = {"enum": list(field.enum), "type": field.type, "title": field.name}
            schemas[field.name] = enum | {"description": "An enumeration."}
    predict = {
        "summary": "Predict",
        "operationId": "predict_predictions_post",
        "responses": {"200": {"description": "Successful Response"}},
    }
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {"/predictions": {"post": predict}},
        "components": {"schemas": schemas},
    }
