"""What the provider charged for a prediction of a job."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from vsl.domain.errors import UnknownModel
from vsl.domain.jobs.job import Job
from vsl.domain.money.pricing import actual_cost, charged
from vsl.domain.predictions.prediction import Outcome
from vsl.services.ports.jobs import JobRepository

if TYPE_CHECKING:  # slow to import, and only a job of an older version needs it
    from vsl.domain.catalogue.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class ComputeCost:
    catalogue: "Catalogue"
    repository: JobRepository

    def __call__(self, job: Job, outcome: Outcome) -> Decimal | None:
        """By the price the job was accepted at; None when it cannot be known, as of an unpriced model."""
        if job.price is not None or job.estimated_cost is None:
            return charged(job.price, outcome)
        # Accepted before jobs carried their price. Read from its tracking item such a job has its
        # parameters in PostgreSQL alone, and the price may depend on them.
        try:
            model = self.catalogue.find(job.model_id)
        except UnknownModel:
            return None
        parameters = job.parameters or self.repository.parameters(job.job_id) or {}
        return actual_cost(model, parameters, outcome)
