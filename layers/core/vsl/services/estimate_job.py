"""What a job would cost and how long it would take, without making it."""

from collections.abc import Mapping
from typing import Any

from vsl.domain.catalogue import Catalogue
from vsl.domain.errors import InvalidRequest
from vsl.domain.pricing import estimate, estimated_time
from vsl.domain.validation import validate_parameters


def estimate_job(
    catalogue: Catalogue, model_id: str, body: Mapping[str, Any], *, allow_http: bool
) -> dict[str, Any]:
    """The public document: US dollars, seconds, and the parameters with their defaults filled in.

    Raises UnknownModel, InvalidRequest and InvalidParameters: what passes here is only refused as a
    job for its user's limits or an upload that is not there.
    """
    model = catalogue.find(model_id)
    given = body.get("parameters", {})
    if not isinstance(given, Mapping):
        message = "must be an object"
        raise InvalidRequest(
            f"parameters {message}.", fields=[{"field": "parameters", "message": message}]
        )
    parameters = validate_parameters(model, given, allow_http=allow_http)
    return {
        "modelId": model.model_id,
        "mediaType": model.media_type.value,
        "estimatedCost": float(estimate(model, parameters)),
        "estimatedTime": estimated_time(model, parameters),
        "parameters": dict(parameters),
    }
