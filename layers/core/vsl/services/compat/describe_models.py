"""The catalogue by Replicate's API."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.models import Model
from vsl.domain.compat import replicate_models
from vsl.domain.compat.replicate_problems import invalid_version, not_found


@dataclass(frozen=True, slots=True)
class DescribeModels:
    catalogue: Catalogue

    def listed(self) -> dict[str, Any]:
        return _page(replicate_models.listed_models(self.catalogue))

    def model(self, slug: str) -> dict[str, Any]:
        """Raises ReplicateProblem (404), as all of these do."""
        return replicate_models.model_document(self._of_slug(slug)[0])

    def versions(self, slug: str) -> dict[str, Any]:
        found = map(replicate_models.version_document, self._of_slug(slug))
        once = {version["id"]: version for version in found}
        return _page(list(once.values()))

    def version(self, slug: str, version: str) -> dict[str, Any]:
        found = map(replicate_models.version_document, self._of_slug(slug))
        known = next((each for each in found if each["id"] == version), None)
        if known is None:
            raise not_found()
        return known

    def deployments(self) -> dict[str, Any]:
        return _page(replicate_models.listed_deployments(self.catalogue))

    def deployment(self, slug: str) -> dict[str, Any]:
        self.of_deployment(slug)
        return replicate_models.deployment_document(slug)

    def of_version(self, version: str) -> list[Model]:
        """What POST /predictions names. Raises ReplicateProblem (422)."""
        found = replicate_models.by_version(self.catalogue, version)
        if not found:
            raise invalid_version()
        return found

    def of_name(self, slug: str) -> list[Model]:
        return _required(replicate_models.by_name(self.catalogue, slug))

    def of_deployment(self, slug: str) -> list[Model]:
        return _required(replicate_models.by_deployment(self.catalogue, slug))

    def _of_slug(self, slug: str) -> list[Model]:
        return _required(replicate_models.of_slug(self.catalogue, slug))


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"previous": None, "next": None, "results": results}


def _required(found: list[Model]) -> list[Model]:
    if not found:
        raise not_found()
    return found
