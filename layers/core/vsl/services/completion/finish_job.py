"""The end of a job, written in one order everywhere: PostgreSQL, then DynamoDB, then Redis; then published.

The accounting comes first because it is the truth; each write is idempotent, so a retry of the
step converges. Terminal is final: a job that has ended otherwise keeps its end.
"""

from dataclasses import dataclass, replace

from vsl.domain.errors import VslError
from vsl.domain.jobs.job import FinishedJob, Job, JobEvent, JobStatus
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.completion.end_metrics import measure_end
from vsl.services.completion.publish_end import PublishEnd
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.limits import StatusCache
from vsl.services.ports.system import Metrics
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class FinishJob:
    repository: JobRepository
    tracking: TrackingStore
    cache: StatusCache
    metrics: Metrics
    publish_end: PublishEnd

    def __call__(self, finished: FinishedJob) -> bool:
        """False when the job had already ended in another status; either way it runs no more.

        The other stores get the end that PostgreSQL has written, in this run or an earlier one.
        """
        item = self._write(finished)
        self.publish_end(finished.job, item)
        return item is not None and item.status is finished.status

    def _write(self, finished: FinishedJob) -> TrackedJob | None:
        """The item with the end as it stands written; None where the item had another."""
        document = self.repository.finish_job(finished)
        if document is None:
            return self._copy_earlier_end(finished)
        item = self.tracking.finish(finished, document)
        if item is not None:
            self.cache.put(document)
            measure_end(finished, self.metrics)
        return item

    def _copy_earlier_end(self, finished: FinishedJob) -> TrackedJob | None:
        """The step that wrote the other end to PostgreSQL may have died before the other writes."""
        written = self.repository.status(finished.job.job_id)
        if written is None or not JobStatus(written["status"]).terminal:
            return None
        earlier = replace(finished, status=JobStatus(written["status"]), settled=False)
        item = self.tracking.finish(earlier, written)
        if item is not None:
            self.cache.put(written)
        return item


def ended(
    job: Job, item: TrackedJob | None, end: JobEvent, error: VslError | None = None
) -> FinishedJob:
    """The job with its end, and with all that its item knows of its course; there may be none."""
    finished = FinishedJob(
        job=job,
        status=JobStatus(end.name),
        completed_at=end.at,
        error_code=error.code if error else None,
        error_message=error.message if error else None,
        error_detail=error.provider_error if error else None,
        events=(end,),
    )
    if item is None:
        return finished
    earlier = (event for event in item.events if event.name != end.name)
    return replace(
        finished,
        replicate_id=item.replicate_id,
        attempt=item.attempt,
        logs=item.logs,
        events=(*earlier, end),
        webhooks=item.webhooks,
        orphans=item.orphans,
    )
