"""DynamoDB: one tracking item per job."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from vsl.domain.jobs.job import (
    FinishedJob,
    Job,
    JobEvent,
    JobStatus,
    OrphanedPrediction,
    WebhookReceipt,
)
from vsl.domain.jobs.status import StatusDocument
from vsl.domain.jobs.tracked_job import Recorded, TrackedJob
from vsl.domain.predictions.prediction import Outcome, Prediction
from vsl.domain.predictions.search import Intent, Search


class TrackingStore(Protocol):
    """DynamoDB: one tracking item per job; conditional writes make order and repetition harmless."""

    def create(
        self,
        job: Job,
        deadline: datetime,
        execution_arn: str | None,
        marks: Sequence[JobEvent] = (),
    ) -> TrackedJob: ...

    def get(self, job_id: str) -> TrackedJob | None:
        """Strongly consistent."""
        ...

    def get_many(self, job_ids: Sequence[str]) -> Mapping[str, TrackedJob]:
        """At most 100 at once, strongly consistent; what is not there or cannot be read is left out."""
        ...

    def find_job_id(self, replicate_id: str) -> str | None:
        """Whose prediction it is, as far as an index knows that trails the items by a moment."""
        ...

    def write_intent(
        self, job_id: str, attempt: int, at: datetime, next_check_at: datetime, intent: Intent
    ) -> TrackedJob | None:
        """Claim attempt n and enter the in-flight index; None when another claimed it first."""
        ...

    def join_queue(
        self, job_id: str, task_token: str, at: datetime, deadline: datetime
    ) -> TrackedJob:
        """The job waits for a slot, until the `deadline` of its first wait at most; a new token replaces
        the old. The item returned is as it was where the job has ended, or has a prediction by now."""
        ...

    def queued(self) -> Sequence[TrackedJob]:
        """All jobs that wait for a slot."""
        ...

    def leave_queue(
        self, job_id: str, task_token: str, at: datetime, deadline: datetime, check_at: datetime
    ) -> TrackedJob | None:
        """The job has a slot: from now on its own `deadline` is in force, and the poller looks at
        `check_at` what became of it. None when it does not wait with this token."""
        ...

    def save_search(self, job_id: str, attempt: int, search: Search) -> None:
        """Note how far the search for the attempt's prediction has come, while there is none."""
        ...

    def withdraw_intent(self, job_id: str, attempt: int, *, released: bool = False) -> bool:
        """The attempt has no prediction, that is proved; False when it has one by now.

        False, too, for a job that has ended, whose money is held until its intent is withdrawn; with
        `released` that has been given back.
        """
        ...

    def abandon_prediction(self, job_id: str, replicate_id: str, at: datetime) -> TrackedJob | None:
        """Put an ended prediction behind the job, so that another attempt may be made.

        Its id goes to `abandoned_ids` and never comes back; None when it is not the job's prediction.
        """
        ...

    def request_cancel(self, job_id: str, at: datetime) -> TrackedJob | None:
        """Note that the user wants the job to end; None when there is none that still runs."""
        ...

    def add_orphan(self, job_id: str, orphan: OrphanedPrediction) -> None:
        """Note it, unless it is known, and let the poller look at it."""
        ...

    def end_orphan(self, job_id: str, orphan: OrphanedPrediction) -> TrackedJob | None:
        """Note that it has ended and is booked, with what it cost; the item after it."""
        ...

    def schedule_check(self, job_id: str, at: datetime) -> None:
        """Let the poller look at the job from `at` on, unless it does so already."""
        ...

    def stop_polling(self, item: TrackedJob) -> None:
        """Take the job out of the polling index, unless another orphan is known by now."""
        ...

    def record_prediction(
        self, job_id: str, attempt: int, replicate_id: str, at: datetime, source: str
    ) -> TrackedJob:
        """Attach the prediction unless one is attached; the item returned tells which one won."""
        ...

    def record_start(
        self, job_id: str, receipt: WebhookReceipt, attempt: int | None = None
    ) -> Recorded:
        """Note a sign of life of the job's prediction; not first when it has ended.

        A job without a prediction takes it for its own: that of `attempt`, where that is known.
        """
        ...

    def record_outcome(
        self,
        job_id: str,
        outcome: Outcome,
        at: datetime,
        receipt: WebhookReceipt | None = None,
        attempt: int | None = None,
    ) -> Recorded:
        """Store the outcome if none is there; not first when the job had one or is terminal.

        A job without a prediction takes this one for its own, as above.
        """
        ...

    def store_token(self, job_id: str, task_token: str, at: datetime) -> TrackedJob:
        """Store the token (a new one replaces the old) and return the item with it."""
        ...

    def record_token_completed(
        self, job_id: str, task_token: str, attempt: int, at: datetime
    ) -> None:
        """Note that this token was answered and leave the in-flight index.

        Not once another attempt has been claimed since: the poller must watch over that one.
        """
        ...

    def record_event(self, job_id: str, event: JobEvent, status: JobStatus | None = None) -> bool:
        """Put a mark on the timeline, once per name, and move the status. False for a job that has
        ended, or is deleted."""
        ...

    def reschedule(
        self, job_id: str, next_check_at: datetime, seen: Prediction | None = None
    ) -> None:
        """Ask the poller to look again later, count the check, keep what was seen of the log."""
        ...

    def postpone(self, job_id: str, next_check_at: datetime) -> None:
        """As `reschedule`, without reading the item: for one that cannot be read."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Ids of jobs in flight whose next check is due, the longest overdue first."""
        ...

    def mark_deleted(
        self, job_id: str, at: datetime, sweep_at: datetime, *, ended: bool = False
    ) -> None:
        """Put a tombstone in the place of the item: from now on nothing is written to the job.

        It keeps nothing personal, and the poller finds it at `sweep_at`. Raises JobNotEnded when the
        job has not ended, unless it is known by another store to have `ended`.
        """
        ...

    def deleted(self, job_id: str) -> bool:
        """Whether there is a tombstone."""
        ...

    def forget(self, job_id: str, now: datetime) -> bool:
        """Remove the tombstone, once its time has come. False while there is one, or a job."""
        ...

    def finish(self, finished: FinishedJob, document: StatusDocument) -> TrackedJob | None:
        """Write the end of the job; None if it had ended otherwise.

        It leaves the in-flight index, unless its prediction is not settled yet.
        """
        ...

    def settle(
        self, job_id: str, replicate_id: str, document: StatusDocument | None
    ) -> TrackedJob | None:
        """Note that PostgreSQL knows what the ended job's own prediction cost, with the end as it
        stands written by now, if that has changed; the item after it."""
        ...

    def mark_published(self, job_id: str) -> None:
        """Note that the job's end was published."""
        ...
