"""Models and deployments as `PUT /_control/…` takes them."""

import hashlib
import json
from functools import partial
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from devstack.replicate.clock import now, rfc3339
from devstack.replicate.media.declared import produce
from devstack.replicate.model import A100, WARM, Model, gpu
from devstack.replicate.schemas.interface import Interface

_USUAL = 4.0  # seconds that a model takes whose example does not say how long
_COLD = 0.7  # seconds until a model that is not official starts
VersionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ModelOffer(BaseModel):
    """`openapi_schema` and a few words about it, or the provider's own document of a model.

    That document has the schema in `latest_version`; what else it tells is ignored. Without a
    `version` the schema decides it, so that another schema is another version.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    openapi_schema: dict[str, Any]
    official: bool = Field(False, validation_alias=AliasChoices("official", "is_official"))
    description: str = ""
    default_example: dict[str, Any] | None = None
    version: VersionId | None = None
    created_at: str = Field(default_factory=lambda: rfc3339(now(), 6))
    cog_version: str = "0.14.0"

    @model_validator(mode="before")
    @classmethod
    def _newest_version(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        newest = given.get("latest_version")
        if isinstance(newest, dict):
            given = {**given, **newest, "version": newest.get("id")}
        return {name: value for name, value in given.items() if value is not None}

    def model(self, reference: str) -> Model:
        """The version that it describes; a GPU's second is its price, since no schema tells one."""
        owner, name = reference.split("/")
        interface = Interface(self.openapi_schema)
        example = (self.default_example or {}).get("output")
        seconds = self._example_seconds or _USUAL
        return Model(
            owner=owner,
            name=name,
            version=self.version or _digest(reference, self.openapi_schema),
            version_created_at=self.created_at,
            cog_version=self.cog_version,
            official=self.official,
            description=self.description,
            interface=interface,
            produce=partial(produce, interface, f"{name} {self.description}", example),
            seconds=lambda _asked: seconds,
            price=gpu(A100),
            boot_seconds=WARM if self.official else _COLD,
            default_example=self.default_example,
        )

    @property
    def _example_seconds(self) -> float | None:
        metrics = (self.default_example or {}).get("metrics")
        seconds = metrics.get("predict_time") if isinstance(metrics, dict) else None
        return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None


class DeploymentOffer(BaseModel):
    """The model that a deployment runs; its newest version unless one is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: VersionId | None = None


def _digest(reference: str, schema: dict[str, Any]) -> str:
    text = json.dumps([reference, schema], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
