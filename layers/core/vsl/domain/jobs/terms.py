"""The terms a job was accepted on. The job carries them, so that the catalogue may change meanwhile.

A job accepted before there were terms has none: who needs them then asks the catalogue of the day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """`amount` in US dollars for one `unit` (of the catalogue's kinds), `units` asked for. `hold`:
    how many times its estimate the job may cost at most; 1 where the price is known before."""

    unit: str
    amount: Decimal
    units: Decimal
    hold: Decimal = Decimal(1)

    def document(self) -> dict[str, str]:
        document = {"unit": self.unit, "amount": str(self.amount), "units": str(self.units)}
        return document if self.hold == 1 else document | {"hold": str(self.hold)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        if document is None:
            return None
        return cls(
            document["unit"],
            Decimal(document["amount"]),
            Decimal(document["units"]),
            Decimal(document.get("hold", 1)),
        )


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """What the provider is asked: the model's `reference`, and where each of its inputs comes from.

    `values` are inputs that were settled when the job was accepted, `parameters` those that have the
    value of a job's parameter, by its name; `uploads` are the parameters that name an upload.
    """

    reference: str
    values: Mapping[str, Any]
    parameters: Mapping[str, str]
    uploads: tuple[str, ...] = ()

    def input(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The provider's input. `parameters` have addresses in the place of uploads."""
        taken = {target: parameters[name] for target, name in self.parameters.items()}
        return {**self.values, **taken}

    def document(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "values": dict(self.values),
            "parameters": dict(self.parameters),
            "uploads": list(self.uploads),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        if document is None:
            return None
        return cls(
            reference=document["reference"],
            values=document["values"],
            parameters=document["parameters"],
            uploads=tuple(document.get("uploads", ())),
        )
