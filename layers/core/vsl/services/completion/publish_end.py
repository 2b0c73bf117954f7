"""What follows from an end that is written: the job's place is free, and the end is published.

An end is published once it is durable: if a step dies in between, the next one (its retry,
RecordFailure, the repair) publishes it again. A bad end is noted as published, because the repair
looks at every execution that ended badly; after a good end no step looks again, and the write is saved.
"""

from dataclasses import dataclass

from vsl.domain.jobs.job import CallbackEvent, Job, JobStatus
from vsl.domain.jobs.status import tracked_document
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.limits import RateLimits
from vsl.services.ports.publishing import EventPublisher
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class PublishEnd:
    tracking: TrackingStore
    limits: RateLimits
    publisher: EventPublisher
    clock: Clock

    def __call__(self, job: Job, item: TrackedJob | None, *, publish: bool = True) -> bool:
        """True if this call published it. Predictions that are not settled stay in the polling index."""
        self.limits.release(job.user_id, job.job_id)
        if item is None or item.result is None:
            return False
        if item.unsettled:
            self.tracking.schedule_check(job.job_id, self.clock.now())
        if item.published or not publish:
            return False
        wanted = item.job.calls_for(CallbackEvent.ENDED)
        self.publisher.ended(tracked_document(item), callback=wanted)
        if item.status is not JobStatus.SUCCEEDED:
            self.tracking.mark_published(job.job_id)
        return True
