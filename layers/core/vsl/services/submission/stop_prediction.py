"""Stop a prediction that may still run."""

from dataclasses import dataclass

from vsl.domain.predictions.prediction import Prediction
from vsl.services.ports.provider import Provider


@dataclass(frozen=True, slots=True)
class StopPrediction:
    provider: Provider

    def __call__(self, replicate_id: str) -> Prediction | None:
        """Ask first, cancel only what runs. Returns the state after that; None when unknown."""
        prediction = self.provider.get(replicate_id)
        if prediction is None or prediction.status.terminal:
            return prediction
        return self.provider.cancel(replicate_id)
