"""A model in short, as the list of models and each single model show it."""

from typing import Any

from vsl.domain.catalogue.models import Model
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.money.pricing import estimated_time, price_document


def model_summary(model: Model) -> dict[str, Any]:
    """`estimatedTime` in seconds is that of the example, which is a body's `parameters` as it is."""
    example = dict(model.example)
    validated = validate_parameters(model, example, allow_http=False)
    return {
        "modelId": model.model_id,
        "mediaType": model.media_type.value,
        "output": model.output,
        "description": model.description,
        "price": price_document(model),
        "estimatedTime": estimated_time(model, validated),
        "example": example,
    }
