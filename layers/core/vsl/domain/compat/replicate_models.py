"""The catalogue as Replicate's API shows models: references, versions, and the schema of their inputs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.mapping import derive, direct_inputs
from vsl.domain.catalogue.models import Model, Parameter
from vsl.domain.catalogue.validation import parameters_schema, validate_parameters

HIDDEN = "hidden"
"""The version of an official model's prediction, as the provider has it."""

_VERSION = re.compile(r"[0-9a-f]{64}")
_DEPLOYMENTS = "deployments/"
# What a catalogue does not say, and clients read as a time.
_LONG_AGO = "2024-01-01T00:00:00.000Z"


def slug_of(model: Model) -> str:
    """`owner/name`, also of a deployment."""
    return model.reference.removeprefix(_DEPLOYMENTS).partition(":")[0]


def version_of(model: Model) -> str:
    """The version that a prediction of the model says it is of."""
    return model.reference.partition(":")[2] or HIDDEN


def is_deployment(model: Model) -> bool:
    return model.reference.startswith(_DEPLOYMENTS)


def by_version(catalogue: Catalogue, version: str) -> list[Model]:
    """The entries that `version` of POST /predictions names: 64 hexadecimal digits, `owner/name:` with
    those, or `owner/name` of an official model."""
    slug, colon, digits = version.partition(":")
    if _VERSION.fullmatch(version):
        return [model for model in catalogue.models.values() if version in _versions(model)]
    if colon:
        return [model for model in of_slug(catalogue, slug) if digits in _versions(model)]
    return by_name(catalogue, version)


def by_name(catalogue: Catalogue, slug: str) -> list[Model]:
    """The official models of this name: any other needs its version."""
    return [model for model in catalogue.models.values() if model.reference == slug]


def by_deployment(catalogue: Catalogue, slug: str) -> list[Model]:
    return by_name(catalogue, f"{_DEPLOYMENTS}{slug}")


def listed_deployments(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Each deployment once, however many entries it has."""
    slugs = dict.fromkeys(
        slug_of(model) for model in catalogue.models.values() if is_deployment(model)
    )
    return [deployment_document(slug) for slug in slugs]


def deployment_document(slug: str) -> dict[str, Any]:
    """What a deployment runs, and on what, its owner decides: the catalogue does not know."""
    owner, _, name = slug.partition("/")
    return {"owner": owner, "name": name, "current_release": None}


def of_slug(catalogue: Catalogue, slug: str) -> list[Model]:
    """Every entry of a model, of whatever version."""
    return [
        model
        for model in catalogue.models.values()
        if slug_of(model) == slug and not is_deployment(model)
    ]


def listed_models(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Each model once, however many entries it has."""
    slugs = dict.fromkeys(
        slug_of(model) for model in catalogue.models.values() if not is_deployment(model)
    )
    return [model_document(of_slug(catalogue, slug)[0]) for slug in slugs]


def model_document(model: Model) -> dict[str, Any]:
    slug = slug_of(model)
    owner, _, name = slug.partition("/")
    return {
        "url": f"https://replicate.com/{slug}",
        "owner": owner,
        "name": name,
        "description": model.description,
        "visibility": "public",
        "is_official": version_of(model) == HIDDEN,
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": version_document(model),
    }


def version_document(model: Model) -> dict[str, Any]:
    return {
        "id": next(iter(_versions(model)), HIDDEN),
        "created_at": _LONG_AGO,
        "cog_version": "0.9.0",
        "openapi_schema": {
            "openapi": "3.0.2",
            "info": {"title": "Cog", "version": "0.1.0"},
            "paths": {},
            "components": {"schemas": {"Input": _input(model), "Output": _output(model)}},
        },
    }


def _versions(model: Model) -> Iterator[str]:
    found = model.reference.partition(":")[2] or (model.source and model.source.version)
    if found:
        yield found


def _input(model: Model) -> dict[str, Any]:
    """The model's inputs under the provider's names, with the provider's values."""
    schema = parameters_schema(model)
    properties: dict[str, Any] = {}
    required = []
    for name, target in direct_inputs(model).items():
        parameter, found = model.parameters[name], dict(schema["properties"][name])
        properties[target] = _translated(parameter, found)
        required += [target] if parameter.required else []
    sizes = _usual_sizes(model)
    for target, derived in model.derived.items():
        properties[target] = {
            "type": "string",
            "enum": list(derived.choices),
            "default": derive(derived, sizes),
        }
    for order, each in enumerate(properties.values()):
        each["x-order"] = order
        each.pop("x-maps-to", None)
    return {"type": "object", "title": "Input", "properties": properties, "required": required}


def _translated(parameter: Parameter, schema: dict[str, Any]) -> dict[str, Any]:
    if not parameter.values:
        return schema
    values = parameter.values
    schema |= {"type": "string", "enum": list(values.values())}
    if parameter.default is not None:
        schema["default"] = values[str(parameter.default)]
    return schema


def _usual_sizes(model: Model) -> Mapping[str, Any]:
    return validate_parameters(model, model.example, allow_http=False)


def _output(model: Model) -> dict[str, Any]:
    uri = {"type": "string", "format": "uri"}
    shapes: Mapping[str, dict[str, Any]] = {
        "single": uri,
        "list": {"type": "array", "items": uri},
        "object": {"type": "object"},
        "text": {"type": "string"},
        "json": {},
    }
    return {"title": "Output", **shapes[model.output]}
