"""What a webhook of Replicate's protocol says of a job: the prediction, and nothing around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.compat.replicate_prediction import has_webhook
from vsl.services.compat.show_predictions import ShowPredictions


@dataclass(frozen=True, slots=True)
class PredictionWebhook:
    """`api` gives the address of the protocol."""

    show: ShowPredictions
    api: Callable[[], str]

    def __call__(self, status: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Of the public status document; None for a job that came by another protocol."""
        if not has_webhook(status.get("metadata")):
            return None
        shown = self.show([status], self.api())
        return shown[0] if shown else None
