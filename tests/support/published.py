"""Published models for tests of the catalogue's commands: small ones, fixtures, those of the stand-in."""

from datetime import date
from decimal import Decimal
from typing import Any

from cli.models.translation.entry import Options, Proposal, propose
from cli.models.translation.published import Published
from cli.models.translation.reference import Reference
from devstack.replicate.catalogue import BY_REFERENCE
from tests.support.provider_fixtures import ProviderModel

VERSION = (
    "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"  # pragma: allowlist secret
)
TODAY = date(2026, 11, 29)
RATES = {"gpu-t4": Decimal("0.000225")}
FILE = {"type": "string", "format": "uri"}


def published(
    properties: dict[str, Any] | None = None,
    *,
    required: tuple[str, ...] = (),
    output: Any = FILE,
    official: bool = False,
    version: str | None = VERSION,
    example: dict[str, Any] | None = None,
    description: str = "A model",
    **components: Any,
) -> Published:
    """acme/painter with these inputs."""
    schemas = {
        "Input": {"type": "object", "required": list(required), "properties": properties or {}},
        "Output": output,
        **components,
    }
    return Published.read(
        Reference("acme", "painter"),
        {"is_official": official, "description": description, "default_example": example},
        {"id": version, "openapi_schema": {"components": {"schemas": schemas}}},
    )


def published_fixture(model: ProviderModel) -> Published:
    return Published.read(
        Reference(model["owner"], model["name"]),
        {
            "is_official": model["official"],
            "description": model["description"],
            "default_example": model.get("default_example"),
        },
        {"id": model["version"], "openapi_schema": model["openapi_schema"]},
    )


def published_by_stand_in(reference: str) -> Published:
    """One of the models that the catalogue has by hand, by `owner/name`."""
    model = BY_REFERENCE[reference]
    return Published.read(
        Reference.parse(reference),
        {"is_official": model.official, "description": model.description},
        {"id": model.version, "openapi_schema": model.interface.document},
    )


def proposal(
    model: Published, model_id: str = "painter", options: Options | None = None
) -> Proposal:
    return propose(model, model_id, options or Options(), TODAY, RATES)
