"""A prediction that its job has no use for: note it, count it, stop it before it costs more."""

from dataclasses import dataclass

from vsl.domain.jobs.job import OrphanedPrediction
from vsl.domain.predictions.prediction import Prediction
from vsl.services.ports.provider import Provider
from vsl.services.ports.system import Metrics
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class DiscardPrediction:
    tracking: TrackingStore
    provider: Provider
    metrics: Metrics

    def __call__(self, job_id: str, orphan: OrphanedPrediction, prediction: Prediction) -> None:
        """The note comes first: if the step dies here, the accounting still learns of it."""
        self.tracking.add_orphan(job_id, orphan)
        self.metrics.count("OrphanedPrediction")
        if not prediction.status.terminal:
            self.provider.cancel(prediction.id)
