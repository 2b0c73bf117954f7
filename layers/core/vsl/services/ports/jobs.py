"""PostgreSQL: the jobs' history, their accounting, and what stays of a deleted one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from vsl.domain.api.job_list import JobFilter, ListedJob, Position
from vsl.domain.api.limits import RecentJob, UserLimits
from vsl.domain.api.operations import Figures, Window
from vsl.domain.jobs.job import (
    FinishedJob,
    Job,
    OrphanedPrediction,
)
from vsl.domain.jobs.object_keys import JobPlace
from vsl.domain.jobs.status import AskedDocument, StatusDocument
from vsl.domain.jobs.timeline import JobRecord


@dataclass(frozen=True, slots=True)
class Creation:
    """`new`: this call inserted the job; `alerted`: with it a budget reached a level worth telling;
    `weight`: the user's share of the slots at the provider."""

    new: bool
    alerted: bool = False
    weight: int = 1


class JobRepository(Protocol):
    """PostgreSQL: history, money, search.

    The writes that create, end and settle a job hold and settle its money in the same transaction
    (database/migrations/0002_money.sql).
    """

    def create_job(self, job: Job, execution_arn: str | None) -> Creation:
        """Insert the job as `pending` and hold what it may cost, once.

        Raises JobDeleted when it was there, and is deleted; BudgetExceeded, ModelFrozen and
        UnpricedModel, and then nothing is written.
        """
        ...

    def finish_job(self, finished: FinishedJob) -> StatusDocument | None:
        """Write the end of a job with its assets, events and webhooks in one transaction.

        A `settled` end settles the hold, with what is unknown of its cost counted as the estimate; any
        other end keeps it. The job is inserted if it never was. The answer is the end as it stands
        written, whichever call wrote it; None when the job ended in another status: terminal is final.
        """
        ...

    def settle_prediction(
        self,
        job_id: str,
        replicate_id: str,
        cost: Decimal | None,
        predict_time: float | None,
        total_time: float | None,
    ) -> bool:
        """Add to the end of a job what its prediction came to; what is known already stays.

        A job that ended without a prediction has this one from now on, and its hold is settled. False
        when it ended with another one, or has not ended.
        """
        ...

    def release_hold(self, job_id: str) -> None:
        """Settle an ended job without a cost: it is known by now that there was no prediction."""
        ...

    def record_orphan(self, job_id: str, orphan: OrphanedPrediction) -> None:
        """Note a prediction without a use, once per prediction; a cost learnt later is added.

        Its cost is charged to the stage.
        """
        ...

    def status(self, job_id: str) -> StatusDocument | None: ...

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        """What the job was asked with, defaults filled in; None for one that is not there or deleted."""
        ...

    def asked(self, job_id: str) -> AskedDocument | None:
        """Prompt and metadata of the job; None as with `parameters`."""
        ...

    def overdue(self, before: datetime, limit: int) -> Sequence[Job]:
        """Jobs without an end whose deadline was before that moment, oldest first."""
        ...

    def recent_jobs(self, user_id: str, since: datetime) -> Sequence[RecentJob]:
        """The user's jobs created after `since`, oldest first, without those a limit refused."""
        ...

    def user_limits(self, user_id: str) -> UserLimits:
        """The user's own limits, as far as there are any."""
        ...


class JobQueries(Protocol):
    """PostgreSQL again, as the reading API asks it. A deleted job is not there."""

    def list_jobs(
        self, wanted: JobFilter, after: Position | None, limit: int
    ) -> Sequence[ListedJob]:
        """Newest first; a status that is not terminal asks for all jobs that have not ended."""
        ...

    def record(self, job_id: str) -> JobRecord | None: ...


class Erasure(Protocol):
    """PostgreSQL: what stays of a job that is deleted."""

    def erase(self, job_id: str, at: datetime) -> None:
        """Mark an ended job as deleted, with everything personal about it gone; money stays."""
        ...

    def erased(self, job_id: str) -> JobPlace | None:
        """Where the files of a deleted job lay; None for one that is there, or never was."""
        ...

    def uses_upload(self, user_id: str, upload_id: str, besides: str) -> bool:
        """Whether another job of the user that is not deleted was asked for with the upload."""
        ...


class OperationsQueries(Protocol):
    """PostgreSQL once more, as an operator asks it."""

    def figures(self, window: Window, running: int) -> Figures:
        """What is known of the window, with the ids of at most `running` jobs that run now."""
        ...
