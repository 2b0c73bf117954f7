"""The operator's figures: PostgreSQL's of the window, DynamoDB's of what runs at this moment."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Any

from vsl.domain.caller import Caller
from vsl.domain.job import JobStatus
from vsl.domain.live_job import LiveJob
from vsl.domain.operations import Waiting, Window, operations_document
from vsl.services.ports import Clock, LiveJobs, Operations

# Of more running jobs than this the rest count as `pending`, which their rows say.
LOOKED_AT = 1000
_BATCH = 100


def get_operations(
    query: Mapping[str, str],
    caller: Caller,
    *,
    operations: Operations,
    live: LiveJobs,
    clock: Clock,
) -> dict[str, Any]:
    """The public document. Raises Forbidden for whoever is, or speaks for, one user."""
    caller.require_trusted()
    window = Window.parse(query, clock.now())
    figures = operations.figures(window, LOOKED_AT)
    items = _items(figures.running, live)
    states = Counter(item.status for item in items if not item.status.terminal)
    # A job may have ended since PostgreSQL was asked.
    ended = sum(item.status.terminal for item in items)
    states[JobStatus.PENDING] += figures.running_count - sum(states.values()) - ended
    waiting = [found for item in items if (found := _waiting(item))]
    oldest = min(waiting, key=lambda each: each.since, default=None)
    return operations_document(window, figures, states, oldest)


def _items(job_ids: Sequence[str], live: LiveJobs) -> list[LiveJob]:
    return [
        item
        for some in batched(job_ids, _BATCH, strict=False)
        for item in live.get_many(some).values()
    ]


def _waiting(item: LiveJob) -> Waiting | None:
    if item.status.terminal or item.intent_at is None or item.outcome is not None:
        return None
    return Waiting(item.job.job_id, item.intent_at)
