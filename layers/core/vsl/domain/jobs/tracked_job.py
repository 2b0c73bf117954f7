"""The tracking item: one job as DynamoDB knows it, where every step and the webhook meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vsl.domain.errors import JobNotFound, JobNotStarted
from vsl.domain.jobs.job import Job, JobEvent, JobStatus, OrphanedPrediction, WebhookReceipt
from vsl.domain.predictions.prediction import Outcome
from vsl.domain.predictions.search import Intent, Search


@dataclass(frozen=True, slots=True)
class TrackedJob:
    """`job.parameters` is empty here: the item coordinates, it does not carry the request.

    `attempt` counts submissions, 0 before the first intent. `outcome` and `task_token` are the
    two sides of a wait; `token_completed` says that this very token has been completed.
    `check_count` is how often the poller asked the provider. `abandoned_ids` are predictions
    that ended and were abandoned for another attempt. `logs` is the end of the model's log, `progress`
    (0 to 1) what the log told when it was last looked at. `published`: the end has been published.
    `intent` is what the latest attempt sent, `search` how far the search for its prediction has come.
    `queued_at` is since when the job waits for a slot at the provider; meanwhile `deadline` is that of
    its waits, counted from the first, and `own_deadline` that of the job as it was then. `settled_id` is
    the job's own prediction once PostgreSQL knows what it cost.
    """

    job: Job
    status: JobStatus
    deadline: datetime
    updated_at: datetime
    attempt: int = 0
    intent_at: datetime | None = None
    intent: Intent | None = None
    search: Search | None = None
    replicate_id: str | None = None
    task_token: str | None = field(default=None, repr=False)
    token_completed: bool = False
    outcome: Outcome | None = None
    check_count: int = 0
    abandoned_ids: frozenset[str] = frozenset()
    cancel_requested_at: datetime | None = None
    queued_at: datetime | None = None
    own_deadline: datetime | None = None
    execution_arn: str | None = None
    result: Mapping[str, Any] | None = None
    logs: str | None = field(default=None, repr=False)
    progress: float | None = None
    events: tuple[JobEvent, ...] = ()
    published: bool = False
    webhooks: tuple[WebhookReceipt, ...] = ()
    orphans: tuple[OrphanedPrediction, ...] = ()
    settled_id: str | None = None

    @property
    def unsettled(self) -> bool:
        """Whether a prediction of this ended job may still run, or PostgreSQL does not know its cost."""
        if self.replicate_id is None:
            own = self.intent_at is not None  # it may have been accepted all the same
        else:
            own = self.settled_id != self.replicate_id
        return own or bool(self.unsettled_orphans)

    @property
    def begun(self) -> bool:
        """Whether the job's execution has been seen at work, or is over. False says nothing."""
        return self.status is not JobStatus.PENDING or self.attempt > 0 or bool(self.task_token)

    @property
    def never_started(self) -> bool:
        """Whether the job was written down and then ended without an execution: it came to nothing, and
        no client was told that it was accepted."""
        error = self.result["error"] if self.result else None
        return error is not None and error["code"] == JobNotStarted.__name__

    @property
    def unsettled_orphans(self) -> tuple[OrphanedPrediction, ...]:
        """Orphaned predictions that may still run, or whose cost is not recorded yet."""
        return tuple(orphan for orphan in self.orphans if not orphan.ended)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a write came to. `item`: as it stands now, None if there is none; `first`: it was news."""

    item: TrackedJob | None
    first: bool


def required(item: TrackedJob | None, job_id: str) -> TrackedJob:
    """Raises JobNotFound without an item: every step but the first works on one."""
    if item is None:
        raise JobNotFound("The job has no tracking item.", jobId=job_id)
    return item
