"""The options that all of the catalogue's commands share: which catalogue, and where models are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.models.hardware import hardware_table, rates_of_table
from cli.models.provider import Origin, ProviderModels, provider
from cli.models.stores import CatalogueStore, FileStore, stage_store
from devstack.paths import MODELS_CONFIG
from vsl.domain.catalogue.hardware import Hardware, Rates


@dataclass(frozen=True, slots=True)
class Where:
    """`stage` has a catalogue in SSM; else it is `file`, by default that of the checkout."""

    state: Path | None = None
    stage: str | None = None
    origin: Origin | None = None
    file: Path | None = None

    def provider(self) -> ProviderModels:
        """Raises CommandError."""
        return provider(self.state, self.stage, self.origin)

    def store(self, table: Mapping[str, Hardware] | None = None) -> CatalogueStore:
        """Raises CommandError."""
        rates: Rates = rates_of_table(hardware_table() if table is None else table)
        if self.stage is not None:
            return stage_store(self.stage, rates)
        return FileStore(self.file or MODELS_CONFIG, rates)
