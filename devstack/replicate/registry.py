"""The models on offer: those of the catalogue, and those given at run time by their schema alone.

What was given is kept in a file, if one is named, and is there again after a restart.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devstack.replicate.catalogue import BY_REFERENCE
from devstack.replicate.clock import now, rfc3339
from devstack.replicate.model import Model
from devstack.replicate.offers import DeploymentOffer, ModelOffer


@dataclass(frozen=True, slots=True)
class Deployment:
    """`version` None is the model's newest; `number` counts the releases."""

    reference: str
    number: int
    model: str
    version: str | None
    created_at: str


class ModelRegistry:
    """Finds models by name, version and deployment. A given model hides one of the catalogue."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._given: dict[str, dict[str, tuple[ModelOffer, Model]]] = {}
        self._deployments: dict[str, Deployment] = {}
        if file is not None and file.exists():
            self._load(json.loads(file.read_text()))

    def newest(self, reference: str) -> Model | None:
        return next(iter(self.versions(reference)), None)

    def newest_all(self) -> list[Model]:
        references = dict.fromkeys([*BY_REFERENCE, *self._given])
        return [self.versions(reference)[0] for reference in references]

    def versions(self, reference: str) -> list[Model]:
        """Newest first."""
        given = [model for _offer, model in self._given.get(reference, {}).values()]
        known = BY_REFERENCE.get(reference)
        return given[::-1] + ([] if known is None else [known])

    def by_version(self, text: str) -> Model | None:
        """64 hex digits, `owner/name:` and 64 hex digits, or `owner/name` of an official model."""
        reference, _, pinned = text.rpartition(":")
        newest = None if reference else self.newest(text)
        if newest is not None and newest.official:
            return newest
        references = [reference] if reference else [*BY_REFERENCE, *self._given]
        known = (model for each in references for model in self.versions(each))
        return next((model for model in known if model.version == pinned), None)

    def deployment(self, reference: str) -> Deployment | None:
        return self._deployments.get(reference)

    def deployments(self) -> list[Deployment]:
        """Newest first."""
        return list(self._deployments.values())[::-1]

    def released(self, deployment: Deployment) -> Model | None:
        """The version that a deployment runs; None once its model is gone."""
        versions = self.versions(deployment.model)
        return next((m for m in versions if deployment.version in {None, m.version}), None)

    def offer(self, reference: str, offer: ModelOffer) -> Model:
        """Add a version, or give the one of the same id anew; it is the newest from now on."""
        model = self._add(reference, offer)
        self._save()
        return model

    def withdraw(self, reference: str) -> bool:
        """Take away all versions that were given; False when there are none."""
        found = self._given.pop(reference, None) is not None
        self._save()
        return found

    def deploy(self, reference: str, offer: DeploymentOffer) -> Deployment:
        """Make a deployment, or its next release."""
        before = self._deployments.pop(reference, None)
        number = 1 if before is None else before.number + 1
        created = rfc3339(now(), 6)
        deployment = Deployment(reference, number, offer.model, offer.version, created)
        self._deployments[reference] = deployment
        self._save()
        return deployment

    def undeploy(self, reference: str) -> bool:
        """False when there is none."""
        found = self._deployments.pop(reference, None) is not None
        self._save()
        return found

    def _add(self, reference: str, offer: ModelOffer) -> Model:
        model = offer.model(reference)
        versions = self._given.setdefault(reference, {})
        versions.pop(model.version, None)
        versions[model.version] = (offer, model)
        return model

    def _load(self, document: Mapping[str, Any]) -> None:
        for reference, offers in document["models"].items():
            for offer in offers:
                self._add(reference, ModelOffer.model_validate(offer))
        for each in document["deployments"]:
            deployment = Deployment(**each)
            self._deployments[deployment.reference] = deployment

    def _save(self) -> None:
        if self._file is None:
            return
        models = {
            reference: [offer.model_dump(mode="json") for offer, _model in versions.values()]
            for reference, versions in self._given.items()
        }
        deployments = [asdict(each) for each in self._deployments.values()]
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps({"models": models, "deployments": deployments}))
        partial.replace(self._file)
