"""The poller finds the ends without a webhook, so that a lost webhook costs a minute, not a job.

It reads only the jobs whose next check is due and writes what a webhook would. A run works in rounds,
several jobs concurrently, until nothing is due or its time is used; another run takes what is left.
Where much is due (webhooks do not arrive), one page of the provider's list replaces a hundred requests
(`look_ahead`). Each check (`check_job`) also settles what no webhook can:

- a token that could not be completed: outcome and token are both there, so the check completes it;
- an uncertain submission (an intent, no id, the job parked on its token): it searches for the
  prediction at the provider, and once everything that could be it was examined in vain, lets the job
  submit again;
- a job past its deadline: its prediction is used if it has finished and stopped if not; a job with
  nothing to wait for goes to the repair;
- an orphaned prediction: it is stopped;
- a job that shows no sign of its execution: the repair ends it, if there is none;
- an ended job with a prediction whose cost is not known yet: the repair settles it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore
from vsl.services.waiting.check_job import Checked, CheckJob, needs_status
from vsl.services.waiting.look_ahead import LookAhead

BATCH = 1000
WORKERS = 16
READ_AT_ONCE = 100  # items of one BatchGetItem
# The index trails the items by a moment: a job that was just checked may still seem due.
INDEX_LAG = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class PollPredictions:
    tracking: TrackingStore
    clock: Clock
    metrics: Metrics
    look_ahead: LookAhead
    check: CheckJob

    def __call__(self, stop_at: datetime) -> dict[str, int]:
        """Check what is due until `stop_at`. Counts by result: `settled`, `waiting`, `failed`, `left`.

        `left` are those that are still due when the time is used.
        """
        counts = Counter({"settled": 0, "waiting": 0, "failed": 0, "left": 0})
        checked_at: dict[str, datetime] = {}
        oldest = 0.0
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="check") as pool:
            while due := self._due(checked_at):
                if self.clock.now() >= stop_at:
                    counts["left"] = len(due)
                    break
                checked = self._check_all(due, pool, stop_at)
                done = [job_id for job_id, each in zip(due, checked, strict=True) if each.result]
                checked_at |= dict.fromkeys(done, self.clock.now())
                counts.update(each.result for each in checked if each.result)
                oldest = max(oldest, *(each.oldest for each in checked))
                # The provider or a store is away: more requests do not help.
                away = all(each.result == "failed" for each in checked)
                if away or any(each.throttled for each in checked):
                    break
        self.metrics.seconds("OldestWaiting", oldest)
        return dict(counts)

    def _due(self, checked_at: Mapping[str, datetime]) -> list[str]:
        now = self.clock.now()
        return [
            job_id
            for job_id in self.tracking.due(now, BATCH)
            if job_id not in checked_at or now - checked_at[job_id] >= INDEX_LAG
        ]

    def _check_all(
        self, job_ids: Sequence[str], pool: Executor, stop_at: datetime
    ) -> list[Checked]:
        items: dict[str, TrackedJob] = {}
        reads = [pool.submit(self._read, batch) for batch in batched(job_ids, READ_AT_ONCE)]
        for read in reads:
            items |= read.result()
        asked = [item for item in items.values() if needs_status(item, self.clock.now())]
        seen = self.look_ahead(asked, pool)

        def check(job_id: str) -> Checked:
            if self.clock.now() >= stop_at:
                return Checked(None)
            item = items.get(job_id)
            return self.check(job_id, item, seen.get(item.replicate_id or "") if item else None)

        checks = [pool.submit(check, job_id) for job_id in job_ids]
        return [each.result() for each in checks]

    def _read(self, job_ids: Sequence[str]) -> Mapping[str, TrackedJob]:
        """Each check reads an item that is missing here once more."""
        try:
            return self.tracking.get_many(job_ids)
        except StoreUnavailable:
            return {}
