"""The operator's figures: of the window from PostgreSQL, of what runs at this moment from DynamoDB and
Redis, of the API and its alarms from the platform."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.domain.api.operations import Health, Waiting, Window, operations_document
from vsl.domain.errors import ConfigurationError, StoreUnavailable
from vsl.domain.jobs.job import JobStatus
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.health import ServiceHealth
from vsl.services.ports.jobs import OperationsQueries
from vsl.services.ports.pacing import QueueView
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore

# Beyond this number running jobs count as `pending`, as their rows say.
READ_ITEMS = 1000
_BATCH = 100


@dataclass(frozen=True, slots=True)
class GetOperations:
    operations: OperationsQueries
    tracking: TrackingStore
    queue: QueueView
    health: ServiceHealth
    clock: Clock

    def __call__(self, query: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        """The public document. Raises Forbidden for a caller that is, or speaks for, one user."""
        caller.require_trusted()
        window = Window.parse(query, self.clock.now())
        figures = self.operations.figures(window, READ_ITEMS)
        items = self._items(figures.running)
        states = Counter(item.status for item in items if not item.status.terminal)
        # A job may have ended since PostgreSQL was asked.
        ended = sum(item.status.terminal for item in items)
        states[JobStatus.PENDING] += figures.running_count - sum(states.values()) - ended
        waiting = [found for item in items if (found := _waiting(item))]
        oldest = min(waiting, key=lambda each: each.since, default=None)
        return operations_document(window, figures, states, oldest, self._health(window))

    def _health(self, window: Window) -> Health:
        """A platform that does not answer, or may not be asked, hides nothing else of the page."""
        return Health(
            queued=self.queue.waiting(window.until),
            api=_if_known(lambda: self.health.api(window.since, window.until)),
            alarms=_if_known(self.health.alarms),
        )

    def _items(self, job_ids: Sequence[str]) -> list[TrackedJob]:
        return [
            item
            for some in batched(job_ids, _BATCH)
            for item in self.tracking.get_many(some).values()
        ]


def _if_known[T](ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except (StoreUnavailable, ConfigurationError):
        return None


def _waiting(item: TrackedJob) -> Waiting | None:
    if item.status.terminal or item.intent_at is None or item.outcome is not None:
        return None
    return Waiting(item.job.job_id, item.intent_at)
