"""End the jobs that PostgreSQL alone knows.

CreateJob writes there first. When DynamoDB is away after that, or the request dies, the client is told
so, and the row has no item, no execution and no end: the poller reads items, and would never find it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vsl.domain.jobs.job import Job
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore

# A repeated step may still write the item.
PATIENCE = timedelta(hours=1)
# In one run; the next one is an hour later.
MOST_JOBS = 500
REASON = "The job was written down, and its request then broke off."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndForgotten:
    """`repair` receives the job's id, the reason and the job document, and returns its result."""

    repository: JobRepository
    tracking: TrackingStore
    clock: Clock
    metrics: Metrics
    repair: Callable[[str, str, Mapping[str, Any]], str]

    def __call__(self) -> dict[str, int]:
        """How many jobs came to what: a result of `repair`, `followed` (by the poller) or `failed`."""
        counts: Counter[str] = Counter()
        for job in self.repository.overdue(self.clock.now() - PATIENCE, MOST_JOBS):
            try:
                counts[self._end(job)] += 1
            except Exception:  # noqa: BLE001 - it concerns this job alone
                _log.exception("a job could not be ended", extra={"job_id": job.job_id})
                self.metrics.count("ItemFailed")
                counts["failed"] += 1
        return dict(counts)

    def _end(self, job: Job) -> str:
        if self.tracking.get(job.job_id) is not None:
            return "followed"
        return self.repair(job.job_id, REASON, job.document())
