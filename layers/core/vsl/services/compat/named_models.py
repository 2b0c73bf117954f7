"""A model by the name that a client of OpenAI's API gives it: an alias of an operator's, or its id."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.models import Model
from vsl.domain.compat.openai_answers import model_card
from vsl.domain.errors import UnknownModel
from vsl.domain.jobs.job import MediaType


@dataclass(frozen=True, slots=True)
class NamedModels:
    catalogue: Catalogue
    aliases: Mapping[str, str]

    def find(self, name: str) -> Model:
        """Raises UnknownModel, also for an alias of a model that is not in the catalogue."""
        return self.catalogue.find(self.aliases.get(name, name))

    def card(self, name: str) -> dict[str, Any]:
        """Raises UnknownModel, also for one that makes no images."""
        model = self.find(name)
        if model.media_type is not MediaType.IMAGE:
            raise UnknownModel("There is no model of this id that makes images.")
        return model_card(name, model)

    def cards(self) -> Iterator[dict[str, Any]]:
        """Of the models that make images: aliases first, in the order given."""
        models = self.catalogue.models
        for name in (*self.aliases, *(each for each in models if each not in self.aliases)):
            model = models.get(self.aliases.get(name, name))
            if model is not None and model.media_type is MediaType.IMAGE:
                yield model_card(name, model)
