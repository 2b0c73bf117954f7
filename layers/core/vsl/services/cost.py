"""What the provider charged for a prediction of a job."""

from decimal import Decimal
from typing import TYPE_CHECKING

from vsl.domain.errors import UnknownModel
from vsl.domain.job import Job
from vsl.domain.prediction import Outcome
from vsl.domain.pricing import actual_cost
from vsl.services.ports import Accounting

if TYPE_CHECKING:  # dear, and who records a webhook rarely needs a price
    from vsl.domain.catalogue import Catalogue


def cost_of(
    job: Job, outcome: Outcome, catalogue: "Catalogue", accounting: Accounting
) -> Decimal | None:
    """None when it cannot be known.

    A job out of its live item has left its parameters in PostgreSQL, and the price may hang on them.
    """
    try:
        model = catalogue.find(job.model_id)
    except UnknownModel:
        return None
    parameters = job.parameters or accounting.parameters(job.job_id) or {}
    return actual_cost(model, parameters, outcome)
