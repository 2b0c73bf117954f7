"""What the prediction of an ended job cost, learnt later: in PostgreSQL, then where it is read."""

from dataclasses import dataclass

from vsl.domain.jobs.job import Job, OrphanedPrediction
from vsl.domain.money.pricing import is_anomalous
from vsl.domain.predictions.prediction import Outcome
from vsl.services.money.compute_cost import ComputeCost
from vsl.services.money.stop_polling import stop_polling_if_settled
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.limits import StatusCache
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class SettlePrediction:
    repository: JobRepository
    tracking: TrackingStore
    cache: StatusCache
    clock: Clock
    metrics: Metrics
    cost: ComputeCost

    def __call__(self, job: Job, replicate_id: str, outcome: Outcome | None) -> None:
        """`outcome` is None when it will never be known.

        A job that ended with another prediction, or before this one was attached to it, has it as an
        orphaned one.
        """
        cost = self.cost(job, outcome) if outcome else None
        predict_time = outcome.predict_time if outcome else None
        total_time = outcome.total_time if outcome else None
        document = None
        if self.repository.settle_prediction(
            job.job_id, replicate_id, cost, predict_time, total_time
        ):
            document = self.repository.status(job.job_id)
            if is_anomalous(job.estimated_cost, cost):
                self.metrics.count("CostAnomaly", modelId=job.model_id)
        else:
            source = outcome.source if outcome else "poller"
            orphan = OrphanedPrediction(replicate_id, self.clock.now(), source, cost)
            self.repository.record_orphan(job.job_id, orphan)
        item = self.tracking.settle(job.job_id, replicate_id, document)
        if document is not None:
            self.cache.put(document)
        stop_polling_if_settled(item, self.tracking)
