"""The shipped catalogue, parsed once, and the true inputs of its models at the provider."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.models import Model

_ROOT = Path(__file__).parents[2]
CATALOGUE_PATH = _ROOT / "config" / "models.json"


@cache
def catalogue() -> Catalogue:
    return Catalogue.parse(CATALOGUE_PATH.read_text(encoding="utf-8"))


def model(model_id: str) -> Model:
    return catalogue().models[model_id]


MODEL_IDS = tuple(catalogue().models)


@cache
def _provider_inputs() -> dict[str, Any]:
    path = _ROOT / "tests" / "contract" / "fixtures" / "provider_inputs.json"
    schemas: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schemas


def provider_input_schema(model: Model) -> dict[str, Any]:
    """JSON Schema of the inputs the provider's model takes, closed to any other key."""
    schema: dict[str, Any] = _provider_inputs()[model.reference.partition(":")[0]]
    return schema
