"""PostgreSQL's rules in memory, one effect a call: `services.ports.Accounting`.

A contract test runs the same operations against the real adapter on a real PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.fault.harness.effects import Effects
from vsl.domain.admission import RecentJob, UserLimits
from vsl.domain.errors import InternalError, StoreUnavailable
from vsl.domain.job import FinishedJob, Job, JobEvent, JobStatus, MediaAsset, Waste, WebhookReceipt
from vsl.domain.status import StatusDocument, finished_document, status_document


@dataclass
class Row:
    """One row of `jobs` with those of the tables below it."""

    job: Job
    end: FinishedJob | None = None
    assets: dict[int, MediaAsset] = field(default_factory=dict)
    events: dict[str, JobEvent] = field(default_factory=dict)
    webhooks: dict[str, WebhookReceipt] = field(default_factory=dict)

    def document(self) -> StatusDocument:
        if self.end is None:
            return status_document(self.job, JobStatus.PENDING, self.job.created_at)
        assets = tuple(self.assets[index] for index in sorted(self.assets))
        return finished_document(replace(self.end, job=self.job, assets=assets))


class MemoryAccounting:
    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.waste: dict[str, tuple[str, Waste]] = {}

    def create_job(self, job: Job, _execution_arn: str | None) -> bool:
        if job.job_id in self.rows:
            return False
        self.rows[job.job_id] = Row(job)
        return True

    def finish_job(self, finished: FinishedJob) -> StatusDocument | None:
        row = self.rows.setdefault(finished.job.job_id, Row(finished.job))
        if row.end is None:
            row.end = finished
        elif row.end.status is not finished.status:
            return None
        for asset in finished.assets:
            row.assets.setdefault(asset.index, asset)
        for event in finished.events:
            row.events.setdefault(event.name, event)
        for receipt in finished.webhooks:
            row.webhooks.setdefault(receipt.webhook_id, receipt)
        for waste in finished.waste:
            self.record_waste(finished.job.job_id, waste)
        return row.document()

    def record_waste(self, job_id: str, waste: Waste) -> None:
        known = self.waste.get(waste.replicate_id)
        if known is None:
            if job_id not in self.rows:
                raise InternalError("PostgreSQL refused: no such job.", sqlstate="23503")
            self.waste[waste.replicate_id] = (job_id, waste)
        elif known[1].cost is None and waste.cost is not None:
            self.waste[waste.replicate_id] = (known[0], replace(known[1], cost=waste.cost))

    def status(self, job_id: str) -> StatusDocument | None:
        row = self.rows.get(job_id)
        return row.document() if row else None

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        row = self.rows.get(job_id)
        return row.job.parameters if row else None

    def recent_jobs(self, user_id: str, since: datetime) -> Sequence[RecentJob]:
        return [
            RecentJob(row.job.job_id, row.job.created_at, None if row.end else row.job.deadline)
            for row in sorted(self.rows.values(), key=lambda row: row.job.job_id)
            if row.job.user_id == user_id
            and row.job.created_at > since
            and not (row.end and row.end.error_code in {"RateLimitExceeded", "TooManyJobs"})
        ]

    def user_limits(self, _user_id: str) -> UserLimits:
        return UserLimits()


class EffectfulAccounting:
    """The same, every call an effect."""

    def __init__(self, effects: Effects, inner: MemoryAccounting) -> None:
        self._effects = effects
        self._inner = inner

    def __getattr__(self, operation: str) -> object:
        method = getattr(self._inner, operation)

        def call(*positional: object, **named: object) -> object:
            return self._effects.run(
                "postgresql",
                operation,
                lambda: method(*positional, **named),
                lambda _after: StoreUnavailable("PostgreSQL closed the connection."),
            )

        return call
