"""The catalogue for readers: every model in short."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.services.api.model_summary import model_summary


@dataclass(frozen=True, slots=True)
class ListModels:
    catalogue: Catalogue

    def __call__(self) -> dict[str, Any]:
        """`{"models": [...]}` in the catalogue's order."""
        return {"models": [model_summary(model) for model in self.catalogue.models.values()]}
