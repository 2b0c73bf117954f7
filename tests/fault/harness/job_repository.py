"""PostgreSQL's rules in memory, one effect a call: `services.ports.Accounting`.

A contract test runs the same operations against the real adapter on a real PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.fault.harness.effects import Effects
from tests.support.memory_money import MemoryMoney
from vsl.domain.api.limits import RecentJob, UserLimits
from vsl.domain.catalogue.uploads import handle_of
from vsl.domain.errors import InternalError, JobDeleted, StoreUnavailable
from vsl.domain.jobs.job import (
    FinishedJob,
    Job,
    JobEvent,
    JobStatus,
    MediaAsset,
    OrphanedPrediction,
    WebhookReceipt,
)
from vsl.domain.jobs.object_keys import JobPlace
from vsl.domain.jobs.status import (
    AskedDocument,
    StatusDocument,
    asked_document,
    finished_document,
    status_document,
)
from vsl.services.ports.jobs import Creation


@dataclass
class Row:
    """One row of `jobs` with those of the tables below it."""

    job: Job
    end: FinishedJob | None = None
    deleted: bool = False
    assets: dict[int, MediaAsset] = field(default_factory=dict)
    events: dict[str, JobEvent] = field(default_factory=dict)
    webhooks: dict[str, WebhookReceipt] = field(default_factory=dict)

    def document(self) -> StatusDocument:
        if self.end is None:
            pending = status_document(
                self.job, JobStatus.PENDING, self.job.created_at, held_cost=self.job.hold
            )
            return {**pending, **asked_document(self.job.parameters, self.job.metadata)}
        assets = tuple(self.assets[index] for index in sorted(self.assets))
        return finished_document(replace(self.end, job=self.job, assets=assets))


class MemoryJobRepository:
    def __init__(self, money: MemoryMoney | None = None) -> None:
        self.money = MemoryMoney() if money is None else money
        self.rows: dict[str, Row] = {}
        self.orphans: dict[str, tuple[str, OrphanedPrediction]] = {}
        self.limits = UserLimits()
        self.weight = 1

    def create_job(self, job: Job, _execution_arn: str | None) -> Creation:
        row = self.rows.get(job.job_id)
        if row is not None and row.deleted:
            raise JobDeleted("The job was deleted.", jobId=job.job_id)
        if row is not None:
            return Creation(new=False, weight=self.weight)
        alerted = self.money.hold(job)
        self.rows[job.job_id] = Row(job)
        return Creation(new=True, alerted=alerted, weight=self.weight)

    def finish_job(self, finished: FinishedJob) -> StatusDocument | None:
        row = self.rows.setdefault(finished.job.job_id, Row(finished.job))
        if row.end is None:
            row.end = finished
        elif row.deleted or row.end.status is not finished.status:
            return None
        for asset in finished.assets:
            row.assets.setdefault(asset.index, asset)
        for event in finished.events:
            row.events.setdefault(event.name, event)
        for receipt in finished.webhooks:
            row.webhooks.setdefault(receipt.webhook_id, receipt)
        if finished.settled:
            self.money.settle(row.job, finished.actual_cost)
        for orphan in finished.orphans:
            self.record_orphan(finished.job.job_id, orphan)
        return row.document()

    def settle_prediction(
        self,
        job_id: str,
        replicate_id: str,
        cost: Decimal | None,
        predict_time: float | None,
        total_time: float | None,
    ) -> bool:
        row = self.rows.get(job_id)
        if row is None or row.end is None or row.end.replicate_id not in {None, replicate_id}:
            return False
        known = row.end if row.end.replicate_id else replace(row.end, actual_cost=None)
        row.end = replace(
            known,
            replicate_id=replicate_id,
            actual_cost=cost if known.actual_cost is None else known.actual_cost,
            predict_time=predict_time if known.predict_time is None else known.predict_time,
            total_time=total_time if known.total_time is None else known.total_time,
        )
        self.money.settle(row.job, row.end.actual_cost)
        return True

    def release_hold(self, job_id: str) -> None:
        if job_id in self.rows:
            self.money.settle(self.rows[job_id].job, Decimal(0))

    def record_orphan(self, job_id: str, orphan: OrphanedPrediction) -> None:
        known = self.orphans.get(orphan.replicate_id)
        if known is None:
            if job_id not in self.rows:
                raise InternalError("PostgreSQL refused: no such job.", sqlstate="23503")
            self.orphans[orphan.replicate_id] = (job_id, orphan)
        elif known[1].cost is None and orphan.cost is not None:
            self.orphans[orphan.replicate_id] = (known[0], replace(known[1], cost=orphan.cost))
        if (cost := self.orphans[orphan.replicate_id][1].cost) is not None:
            self.money.charge_orphan(orphan.replicate_id, cost)

    def status(self, job_id: str) -> StatusDocument | None:
        row = self._there(job_id)
        return row.document() if row else None

    def asked(self, job_id: str) -> AskedDocument | None:
        row = self._there(job_id)
        return asked_document(row.job.parameters, row.job.metadata) if row else None

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        row = self._there(job_id)
        return row.job.parameters if row else None

    def _there(self, job_id: str) -> Row | None:
        row = self.rows.get(job_id)
        return None if row is None or row.deleted else row

    def erase(self, job_id: str, _at: datetime) -> None:
        row = self._there(job_id)
        if row is not None and row.end is None:
            raise InternalError("PostgreSQL refused: it has not ended.", sqlstate="23514")
        if row is not None:
            row.deleted = True
            row.assets.clear()

    def erased(self, job_id: str) -> JobPlace | None:
        row = self.rows.get(job_id)
        return JobPlace.of(row.job) if row is not None and row.deleted else None

    def uses_upload(self, user_id: str, upload_id: str, besides: str) -> bool:
        return any(
            handle_of(upload_id) in row.job.parameters.values()
            for row in self.rows.values()
            if row.job.user_id == user_id and row.job.job_id != besides and not row.deleted
        )

    def overdue(self, before: datetime, limit: int) -> Sequence[Job]:
        return [
            row.job
            for row in sorted(self.rows.values(), key=lambda row: row.job.created_at)
            if row.end is None and row.job.deadline < before
        ][:limit]

    def recent_jobs(self, user_id: str, since: datetime) -> Sequence[RecentJob]:
        return [
            RecentJob(row.job.job_id, row.job.created_at, None if row.end else row.job.deadline)
            for row in sorted(self.rows.values(), key=lambda row: row.job.job_id)
            if row.job.user_id == user_id
            and row.job.created_at > since
            and not (row.end and row.end.error_code in _REFUSED)
        ]

    def user_limits(self, _user_id: str) -> UserLimits:
        return self.limits


_REFUSED = {"RateLimitExceeded", "TooManyJobs", "QueueFull", "BudgetExceeded", "ModelFrozen"}


class EffectfulPostgres:
    """A double of PostgreSQL, every call an effect."""

    def __init__(self, effects: Effects, inner: object) -> None:
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
