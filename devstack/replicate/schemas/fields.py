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
    minimum: float | None = None
    maximum: float | None = None
    format: str | None = None
    items: Mapping[str, Any] | None = None

    def property(self, order: int) -> dict[str, Any]:
        """The field as a property of cog's `Input` schema."""
        if self.enum:
            schema: dict[str, Any] = {"allOf": [{"$ref": f"#/components/schemas/{self.name}"}]}
        else:
            schema = {"type": self.type, "title": _title(self.name)}
        for key in ("minimum", "maximum", "format", "items"):
            value = getattr(self, key)
            if value is not None:
                schema[key] = value
        if self.default is not UNSET:
            schema["default"] = self.default
        if self.description:
            schema["description"] = self.description
        return schema | {"x-order": order}


def text(name: str, description: str = "", **more: Any) -> Field:
    return Field(name, "string", description, **more)


def choice(name: str, values: Sequence[str], default: Any = UNSET, description: str = "") -> Field:
    return Field(name, "string", description, default=default, enum=tuple(values))


def whole(name: str, default: Any = UNSET, description: str = "", **more: Any) -> Field:
    return Field(name, "integer", description, default=default, **more)


def number(name: str, default: Any = UNSET, description: str = "", **more: Any) -> Field:
    return Field(name, "number", description, default=default, **more)


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
    schemas: dict[str, Any] = {"Input": inputs, **_output_schemas(output)}
    for field in fields:
        if field.enum:
            schemas[field.name] = {
                "enum": list(field.enum),
                "type": field.type,
                "title": field.name,
                "description": "An enumeration.",
            }
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {
            "/predictions": {
                "post": {
                    "summary": "Predict",
                    "operationId": "predict_predictions_post",
                    "responses": {"200": {"description": "Successful Response"}},
                }
            }
        },
        "components": {"schemas": schemas},
    }


def _output_schemas(output: Mapping[str, Any]) -> dict[str, Any]:
    if output.get("type") != "object":
        return {"Output": {**output, "title": "Output"}}
    return {
        "Output": {"$ref": "#/components/schemas/ModelOutput", "title": "Output"},
        "ModelOutput": {**output, "title": "ModelOutput"},
    }


def _title(name: str) -> str:
    return name.replace("_", " ").title()
