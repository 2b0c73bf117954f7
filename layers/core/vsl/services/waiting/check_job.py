"""Check one job: find the end of its prediction, wake it, or hand it to the repair."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsl.domain.errors import (
    InternalError,
    JobCanceled,
    ProviderThrottled,
    QueueTimedOut,
    ResubmitPrediction,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Outcome, Prediction
from vsl.services.ports.provider import Provider
from vsl.services.ports.system import Clock, Metrics
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.adopt_prediction import AdoptPrediction
from vsl.services.submission.stop_prediction import StopPrediction
from vsl.services.waiting.complete_wait import CompleteWait
from vsl.services.waiting.record_outcome import RecordOutcome

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(minutes=2)
# A job past its deadline is checked in every run, and not several times in one run.
OVERDUE_DELAY = timedelta(seconds=30)
# For a job that cannot be read or checked although the stores and the provider answer.
FAULTY_DELAY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Checked:
    """`result` is `settled`, `waiting`, `failed`, or None if there was no time for the job."""

    result: str | None
    oldest: float = 0.0
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class CheckJob:
    """`report` receives each job that could not be checked, `repair` each whose execution is gone,
    `rejoin` each whose turn at the provider should have come.

    `grace` is how long after its intent a submission without a trace counts as not made.
    """

    tracking: TrackingStore
    provider: Provider
    clock: Clock
    metrics: Metrics
    report: Callable[[str, VslError], None]
    repair: Callable[[str], None]
    rejoin: Callable[[str], None]
    grace: timedelta
    adopt: AdoptPrediction
    stop: StopPrediction
    record_outcome: RecordOutcome
    complete_wait: CompleteWait

    def __call__(
        self, job_id: str, item: TrackedJob | None, seen: Prediction | None = None
    ) -> Checked:
        """`seen` is the job's prediction, if it was just read.

        One job must not stop the others: its error is reported and it is checked again later.
        """
        oldest, throttled = 0.0, False
        try:
            item = item or self.tracking.get(job_id)
            if item is None:
                # Deleted: what a step wrote in its last moment is swept, where PostgreSQL is reached.
                self.repair(job_id)
                self.tracking.reschedule(job_id, self.clock.now() + LONGEST_DELAY)
                return Checked("waiting")
            if item.intent_at is not None and not item.status.terminal:
                oldest = (self.clock.now() - item.intent_at).total_seconds()
            result = self._check(item, seen)
        except VslError as error:
            self.report(job_id, error)
            result, throttled = "failed", isinstance(error, ProviderThrottled)
        except Exception as error:  # noqa: BLE001 - else this job would be the first of every run
            self.report(job_id, InternalError(f"The check failed: {error!r}"))
            self.metrics.count("ItemFailed")
            with suppress(VslError):
                self.tracking.postpone(job_id, _after_a_fault(item, self.clock.now()))
            result = "failed"
        return Checked(result, oldest, throttled)

    def _check(self, item: TrackedJob, seen: Prediction | None) -> str:
        job_id = item.job.job_id
        try:
            settled = self._settle(item, seen)
        except SubmissionUncertain as error:
            now = self.clock.now()
            immediately = error.details.get("searching")  # the next check gets further
            self.tracking.reschedule(job_id, now if immediately else _next_check(item, now))
            if not error.details.get("readable", True):
                raise
            return "waiting"
        except VslError:
            self.tracking.reschedule(job_id, _next_check(item, self.clock.now()))
            raise
        if settled is True:
            return "settled"
        self.tracking.reschedule(job_id, _next_check(item, self.clock.now()), settled or None)
        return "waiting"

    def _settle(self, item: TrackedJob, seen: Prediction | None) -> bool | Prediction:
        """True when the job no longer waits for anything the poller could bring; its prediction when
        that still runs."""
        if item.status.terminal:
            return self._settle_ended(item)
        for orphan in item.unsettled_orphans:
            self.stop(orphan.replicate_id)
        if item.outcome is not None:
            return self._wake(item)
        return self._settle_queued(item) if item.queued_at else self._settle_submitted(item, seen)

    def _settle_submitted(self, item: TrackedJob, seen: Prediction | None) -> bool | Prediction:
        replicate_id = item.replicate_id or self._adopt(item)
        if isinstance(replicate_id, bool):
            return replicate_id
        if _is_unwanted(item, self.clock.now()):
            prediction = self.stop(replicate_id)
        else:
            prediction = seen or self.provider.get(replicate_id)
        if prediction is None:
            return False
        if not prediction.status.terminal:
            return prediction
        outcome = Outcome.of(prediction, "poller", item.job.output)
        self.record_outcome(item.job.job_id, outcome)
        # A job that does not wait yet finds the outcome when it stores its token.
        return True

    def _settle_queued(self, item: TrackedJob) -> bool:
        """Its turn should have come: a dispatcher has died, or Redis has lost the queue."""
        if item.cancel_requested_at is not None:
            return self._wake(item, JobCanceled("The user canceled the job."))
        if self._overdue(item):
            return self._wake(item, QueueTimedOut("The job waited too long for the provider."))
        self.rejoin(item.job.job_id)
        return False

    def _settle_ended(self, item: TrackedJob) -> bool:
        """An ended job stays in the index until the repair, which reaches PostgreSQL, has settled its
        predictions."""
        if item.unsettled:
            self.repair(item.job.job_id)
            return False
        self.tracking.stop_polling(item)
        return True

    def _wake(self, item: TrackedJob, error: VslError | None = None) -> bool:
        """A job past its deadline that waits for nothing is repaired."""
        completed = self.complete_wait(item, error)
        if not completed and self._overdue(item):
            self.repair(item.job.job_id)
        return completed

    def _adopt(self, item: TrackedJob) -> str | bool:
        """Attach the prediction of a create call whose answer was lost, and return its id; without one
        what the job comes to, as `_settle` has it."""
        if item.intent_at is None:
            return self._settle_without_prediction(item)
        try:
            decide = self.clock.now() - item.intent_at >= self.grace
            adopted = self.adopt(item, decide=decide)
        except SubmissionUncertain as error:
            if self._end_unknown(item, error):
                return True
            raise
        return adopted.replicate_id if adopted else self._settle_without_prediction(item)

    def _end_unknown(self, item: TrackedJob, error: SubmissionUncertain) -> bool:
        """A job's end need not wait for the answer: the search goes on beyond it."""
        if item.cancel_requested_at is not None:
            return self._wake(item, JobCanceled("The user canceled the job."))
        return self._overdue(item) and self._wake(item, error)

    def _settle_without_prediction(self, item: TrackedJob) -> bool:
        """Everything at the provider was examined: there is no prediction."""
        job_id = item.job.job_id
        if item.cancel_requested_at is not None:
            return self._wake(item, JobCanceled("The user canceled the job."))
        if self._overdue(item):
            return self._wake(item, SubmissionUncertain("The job could not be submitted in time."))
        if item.task_token is None or item.token_completed:
            if not item.begun and self.clock.now() >= item.job.first_check:
                self.repair(job_id)  # perhaps it was never started
            return False
        # Without an intent an earlier run withdrew it and then did not complete the token.
        if item.intent_at is not None and not self.tracking.withdraw_intent(job_id, item.attempt):
            return False
        return self._wake(item, ResubmitPrediction("The provider never saw the last attempt."))

    def _overdue(self, item: TrackedJob) -> bool:
        return self.clock.now() >= item.deadline


def needs_status(item: TrackedJob, now: datetime) -> bool:
    """Whether the status of the job's prediction is all that the check reads at the provider."""
    waits = item.outcome is None and item.queued_at is None
    return waits and not item.status.terminal and not _is_unwanted(item, now)


def _is_unwanted(item: TrackedJob, now: datetime) -> bool:
    return now >= item.deadline or item.cancel_requested_at is not None


def _next_check(item: TrackedJob, now: datetime) -> datetime:
    """Less and less often, but never past the deadline, and in every scheduled run from then on.

    A job that has not begun is checked once before its deadline: Step Functions describes a few
    executions a second.
    """
    delay: timedelta = min(FIRST_DELAY * 2 ** min(item.check_count, 8), LONGEST_DELAY)
    if item.status.terminal:
        return now + delay
    if not item.begun and now < item.deadline:
        return item.deadline
    return now + OVERDUE_DELAY if now >= item.deadline else min(now + delay, item.deadline)


def _after_a_fault(item: TrackedJob | None, now: datetime) -> datetime:
    later = now + FAULTY_DELAY
    return min(later, item.deadline) if item is not None and item.deadline > now else later
