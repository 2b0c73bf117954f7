"""The options that all of the catalogue's commands share: which catalogue, and where models are read."""

from dataclasses import dataclass
from pathlib import Path

from cli.models.hardware import rates
from cli.models.provider import ProviderModels, provider
from cli.models.stores import CatalogueStore, FileStore, stage_store
from devstack.paths import MODELS_CONFIG


@dataclass(frozen=True, slots=True)
class Where:
    """`stage` has a catalogue in SSM; else it is `file`, by default that of the checkout."""

    state: Path | None = None
    stage: str | None = None
    origin: str | None = None
    file: Path | None = None

    def provider(self) -> ProviderModels:
        """Raises CommandError."""
        return provider(self.state, self.stage, self.origin)

    def store(self) -> CatalogueStore:
        """Raises CommandError."""
        if self.stage is not None:
            return stage_store(self.stage, rates())
        return FileStore(self.file or MODELS_CONFIG, rates())
