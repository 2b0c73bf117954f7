"""Write down what an orphaned prediction cost: in PostgreSQL, then in the tracking item."""

from dataclasses import dataclass, replace

from vsl.domain.jobs.job import Job, OrphanedPrediction
from vsl.domain.predictions.prediction import Outcome
from vsl.services.money.compute_cost import ComputeCost
from vsl.services.money.stop_polling import stop_polling_if_settled
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class SettleOrphan:
    repository: JobRepository
    tracking: TrackingStore
    cost: ComputeCost

    def __call__(self, job: Job, orphan: OrphanedPrediction, outcome: Outcome | None) -> None:
        """`outcome` is None when it will never be known."""
        settled = replace(orphan, cost=self.cost(job, outcome) if outcome else None)
        self.repository.record_orphan(job.job_id, settled)
        item = self.tracking.end_orphan(job.job_id, settled)
        stop_polling_if_settled(item, self.tracking)
