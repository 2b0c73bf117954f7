"""Write a job to its stores before anything is paid for: first PostgreSQL, then the tracking item.

The Idempotency-Key of the request is bound last, so that it stands for a job that exists. Before that
it is held: of two requests with one key, one writes.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from vsl.domain.errors import BudgetExceeded, VslError
from vsl.domain.jobs.idempotency import KeyRecord
from vsl.domain.jobs.job import Job, JobEvent
from vsl.services.money.publish_alerts import PublishAlerts
from vsl.services.ports.idempotency import KeyRecords
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.system import Metrics
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Runs in the API workflow, so that a client can ask for its job as soon as it is accepted, and in
    a job that was started without the API workflow."""

    keys: KeyRecords
    repository: JobRepository
    tracking: TrackingStore
    metrics: Metrics
    publish_alerts: PublishAlerts

    def __call__(
        self,
        job: Job,
        execution_arn: str | None,
        events: Sequence[JobEvent] = (),
        key: KeyRecord | None = None,
    ) -> Job:
        """The job with the weight of its user.

        Raises JobDeleted, BudgetExceeded, ModelFrozen and UnpricedModel, and RequestInProgress when the
        key stands for another job by now."""
        if key is not None and not self.keys.hold(key, job.job_id):
            return job  # created by another request with this key, and perhaps deleted since
        try:
            creation = self.repository.create_job(job, execution_arn)
        except BudgetExceeded:
            self._tell()  # that it is full
            raise
        job = replace(job, weight=creation.weight)
        self.tracking.create(job, job.deadline, execution_arn, events)
        if key is not None:
            self.keys.bind(key, job.job_id)
        if creation.new:
            self.metrics.count("JobStarted", mediaType=job.media_type, modelId=job.model_id)
        if creation.alerted:
            self._tell()
        return job

    def _tell(self) -> None:
        """Of budgets that have filled so far. The job does not depend on it, and it is told later if
        this fails."""
        with suppress(VslError):
            self.publish_alerts()
