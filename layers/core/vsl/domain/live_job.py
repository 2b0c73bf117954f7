"""The live item: one job as DynamoDB knows it, where every step and the webhook meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vsl.domain.job import Job, JobEvent, JobStatus, Waste, WebhookReceipt
from vsl.domain.prediction import Outcome


@dataclass(frozen=True, slots=True)
class LiveJob:
    """`job.parameters` is empty here: the item coordinates, it does not carry the request.

    `attempt` counts submissions, 0 before the first intent. `outcome` and `task_token` are the
    two halves of the rendezvous; `released` says that this very token has been answered.
    `check_count` is how often the poller asked the provider. `past` are the ids of predictions
    that ended and were given up for another attempt. `logs` is the end of the model's log, `progress`
    (0 to 1) what the log told when it was last looked at. `announced`: the end has been told.
    """

    job: Job
    status: JobStatus
    deadline: datetime
    updated_at: datetime
    attempt: int = 0
    intent_at: datetime | None = None
    replicate_id: str | None = None
    task_token: str | None = field(default=None, repr=False)
    released: bool = False
    outcome: Outcome | None = None
    check_count: int = 0
    past: frozenset[str] = frozenset()
    cancel_requested_at: datetime | None = None
    execution_arn: str | None = None
    result: Mapping[str, Any] | None = None
    logs: str | None = field(default=None, repr=False)
    progress: float | None = None
    events: tuple[JobEvent, ...] = ()
    announced: bool = False
    webhooks: tuple[WebhookReceipt, ...] = ()
    waste: tuple[Waste, ...] = ()

    @property
    def unbooked(self) -> tuple[Waste, ...]:
        """Waste that may still run, or has ended and its cost is in no books."""
        return tuple(waste for waste in self.waste if not waste.ended)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a write came to. `item`: as it stands now, None if there is none; `first`: it was news."""

    item: LiveJob | None
    first: bool
