"""The catalogue: which models there are, what each takes, makes and costs.

The text is that of `config/models.json`: media type → model id → model. Shape is checked here by pydantic,
sense by `catalogue_rules`; both name the path of every fault, such as
`image.flux-schnell.parameters.width.minimum`.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import TypeAdapter, ValidationError

from vsl.domain.catalogue.hardware import Rates
from vsl.domain.catalogue.models import Model, ModelEntry, ModelId, Price
from vsl.domain.catalogue.rules import faults_of
from vsl.domain.errors import ConfigurationError, InvalidRequest, UnknownModel
from vsl.domain.jobs.job import MediaType
from vsl.domain.suggestions import did_you_mean, listed

_ENTRIES = TypeAdapter(
    dict[Literal["image", "video", "audio", "text", "file"], dict[ModelId, ModelEntry]]
)


class Catalogue:
    """All models by id; ids are unique across media types."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models

    @classmethod
    def parse(cls, text: str, rates: Rates | None = None) -> Self:
        """`rates` are what the hardware that prices name costs.

        Raises ConfigurationError with the path of each fault (`details.faults` has them all).
        """
        document = _json(text)
        try:
            entries = _ENTRIES.validate_json(text)
        except ValidationError as error:
            raise _invalid(_shape_faults(document, error)) from None
        models: dict[str, Model] = {}
        faults: list[tuple[str, str]] = []
        for media_type, group in entries.items():
            for model_id, entry in group.items():
                path = f"{media_type}.{model_id}"
                if model_id in models:
                    faults.append((path, f"is also a model for {models[model_id].media_type}"))
                model = Model.model_construct(
                    **dict(entry), model_id=model_id, media_type=MediaType(media_type)
                )
                faults += [(f"{path}.{where}", what) for where, what in faults_of(model)]
                if model.price is not None and model.price.hardware is not None:
                    if model.price.hardware not in (rates or {}):
                        known = listed(rates or {}) or "no hardware at all"
                        faults.append((f"{path}.price.hardware", f"the table of rates has {known}"))
                    model = model.model_copy(update={"price": _rated(model.price, rates or {})})
                models[model_id] = model
        if not models:
            faults.append(("catalogue", "has no models"))
        if faults:
            raise _invalid(faults)
        return cls(models)

    def find(self, model_id: str, media_type: MediaType | None = None) -> Model:
        """Raises UnknownModel with the nearest names, InvalidRequest when the media type differs."""
        model = self.models.get(model_id)
        if model is None:
            offered = [
                name
                for name, known in self.models.items()
                if media_type in {None, known.media_type}
            ] or list(self.models)
            hint = did_you_mean(model_id, self.models)
            message = f"There is no model of this id. {hint}Available: {listed(offered)}."
            raise UnknownModel(message)
        if media_type not in {None, model.media_type}:
            fault = f"{model_id} makes {model.media_type}, not {media_type}"
            raise InvalidRequest(
                f"mediaType: {fault}.", fields=[{"field": "mediaType", "message": fault}]
            )
        return model


def _rated(price: Price, rates: Rates) -> Price:
    """The price with the amount that its hardware costs."""
    return price.model_copy(update={"amount": rates.get(price.hardware or "")})


def _json(text: str) -> object:
    """The decoded text, without keys that appear twice: pydantic would take the last of them."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise _invalid([(twice[0], "appears twice in one object")])
        return dict(pairs)

    try:
        document: object = json.loads(text, object_pairs_hook=unique)
    except ValueError as error:
        raise _invalid([("catalogue", f"is not JSON: {error}")]) from None
    return document


def _shape_faults(document: object, error: ValidationError) -> list[tuple[str, str]]:
    """pydantic's faults by their path in the document, one for each path."""
    faults: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        path = _path(document, fault["loc"], missing=fault["type"] == "missing")
        faults.setdefault(path, fault["msg"])
    return list(faults.items())


def _path(document: object, location: tuple[str | int, ...], *, missing: bool) -> str:
    """The location without the parts pydantic adds: `[key]` and the members of a union."""
    parts: list[str] = []
    node = document
    for place, part in enumerate(location):
        if isinstance(node, dict) and part in node:
            node = node[str(part)]
        elif isinstance(node, list) and isinstance(part, int):
            node = node[part]
        elif not missing or place != len(location) - 1:
            continue
        parts.append(str(part))
    return ".".join(parts) or "catalogue"


def _invalid(faults: list[tuple[str, str]]) -> ConfigurationError:
    lines = [f"{path}: {message}" for path, message in faults]
    more = f"; and {len(lines) - 5} more" if len(lines) > 5 else ""
    text = "; ".join(lines[:5])
    return ConfigurationError(f"The model catalogue is not valid: {text}{more}", faults=lines)
