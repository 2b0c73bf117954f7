"""The catalogue for readers: every model in short, one model with the schema of its parameters."""

from typing import Any

from vsl.domain.catalogue import Catalogue, Model
from vsl.domain.pricing import estimated_time, price_document
from vsl.domain.validation import parameters_schema, validate_parameters


def list_models(catalogue: Catalogue) -> dict[str, Any]:
    """`{"models": [...]}` in the catalogue's order."""
    return {"models": [_summary(model) for model in catalogue.models.values()]}


def describe_model(catalogue: Catalogue, model_id: str, *, allow_http: bool) -> dict[str, Any]:
    """One model; `parameters` is their JSON Schema. Raises UnknownModel."""
    model = catalogue.find(model_id)
    return {**_summary(model), "parameters": parameters_schema(model, allow_http=allow_http)}


def _summary(model: Model) -> dict[str, Any]:
    """`estimatedTime` in seconds is that of the example, which is a body's `parameters` as it is."""
    example = dict(model.example)
    validated = validate_parameters(model, example, allow_http=False)
    return {
        "modelId": model.model_id,
        "mediaType": model.media_type.value,
        "description": model.description,
        "price": price_document(model),
        "estimatedTime": estimated_time(model, validated),
        "example": example,
    }
