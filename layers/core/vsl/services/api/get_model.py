"""One model with the JSON Schema of its parameters."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.validation import parameters_schema
from vsl.services.api.model_summary import model_summary


@dataclass(frozen=True, slots=True)
class GetModel:
    catalogue: Catalogue
    allow_http: bool

    def __call__(self, model_id: str) -> dict[str, Any]:
        """Raises UnknownModel."""
        model = self.catalogue.find(model_id)
        schema = parameters_schema(model, allow_http=self.allow_http)
        return {**model_summary(model), "parameters": schema}
