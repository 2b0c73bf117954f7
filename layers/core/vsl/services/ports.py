"""What the use cases need from outside. Adapters implement these; tests may bring their own.

Every method may be called more than once with the same arguments: each is idempotent. Unless said
otherwise a store that does not answer raises `StoreUnavailable`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from vsl.domain.admission import Admission, Limits, RecentJob, UserLimits
from vsl.domain.callback import CallbackTarget, DeliveryAttempt, Reply
from vsl.domain.job import FinishedJob, Job, JobEvent, JobStatus, MediaAsset, Waste, WebhookReceipt
from vsl.domain.job_list import JobFilter, ListedJob, Position
from vsl.domain.live_job import LiveJob, Recorded
from vsl.domain.operations import Figures, Window
from vsl.domain.prediction import Outcome, Prediction
from vsl.domain.status import StatusDocument
from vsl.domain.timeline import JobRecord
from vsl.domain.uploads import UploadedFile, UploadForm, UploadRequest


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, UTC, timezone-aware."""
        ...


class Accounting(Protocol):
    """PostgreSQL: history, money, search."""

    def create_job(self, job: Job, execution_arn: str | None) -> bool:
        """Insert the job as `pending`. True if this call did, False if it was there already."""
        ...

    def finish_job(self, finished: FinishedJob) -> StatusDocument | None:
        """Write the end of a job with its assets, events and webhooks in one transaction.

        The job is inserted if it never was. The answer is the end as it stands written, whichever
        call wrote it; None when the job ended in another status: terminal is final.
        """
        ...

    def record_waste(self, job_id: str, waste: Waste) -> None:
        """Book a prediction without a use, once per prediction; a cost learnt later is added."""
        ...

    def status(self, job_id: str) -> StatusDocument | None: ...

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        """What the job was asked with; None for one that is not there or deleted."""
        ...

    def recent_jobs(self, user_id: str, since: datetime) -> Sequence[RecentJob]:
        """The user's jobs created after `since`, oldest first, without those a limit refused."""
        ...

    def user_limits(self, user_id: str) -> UserLimits:
        """The user's own limits, as far as there are any."""
        ...


class History(Protocol):
    """PostgreSQL again, as the reading API asks it. A deleted job is not there."""

    def list_jobs(
        self, wanted: JobFilter, after: Position | None, limit: int
    ) -> Sequence[ListedJob]:
        """Newest first; a status that is not terminal asks for all jobs that have not ended."""
        ...

    def record(self, job_id: str) -> JobRecord | None: ...

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        """What the job was asked with, defaults filled in."""
        ...

    def erase(self, job_id: str, at: datetime) -> None:
        """Mark an ended job as deleted, with everything personal about it gone; money stays."""
        ...


class Operations(Protocol):
    """PostgreSQL once more, as an operator asks it."""

    def figures(self, window: Window, running: int) -> Figures:
        """What is known of the window, with the ids of at most `running` jobs that run now."""
        ...


class LiveJobs(Protocol):
    """DynamoDB: one live item a job; conditional writes make order and repetition harmless."""

    def create(
        self,
        job: Job,
        deadline: datetime,
        execution_arn: str | None,
        marks: Sequence[JobEvent] = (),
    ) -> LiveJob: ...

    def get(self, job_id: str) -> LiveJob | None:
        """Strongly consistent."""
        ...

    def get_many(self, job_ids: Sequence[str]) -> Mapping[str, LiveJob]:
        """At most 100 at once, strongly consistent; what is not there is left out."""
        ...

    def find_job_id(self, replicate_id: str) -> str | None:
        """Whose prediction it is, as far as an index knows that trails the items by a moment."""
        ...

    def write_intent(
        self, job_id: str, attempt: int, at: datetime, next_check_at: datetime
    ) -> LiveJob | None:
        """Claim attempt n and enter the in-flight index; None when another claimed it first."""
        ...

    def withdraw_intent(self, job_id: str, attempt: int) -> bool:
        """Undo the intent of an attempt without a prediction; False when it has one by now."""
        ...

    def give_up_prediction(self, job_id: str, replicate_id: str, at: datetime) -> LiveJob | None:
        """Put an ended prediction behind the job, so that another attempt may be made.

        Its id goes to `past` and never comes back; None when it is not the job's prediction.
        """
        ...

    def request_cancel(self, job_id: str, at: datetime) -> LiveJob | None:
        """Note that the user wants the job to end; None when there is none that still runs."""
        ...

    def add_waste(self, job_id: str, waste: Waste) -> None:
        """Note it, unless it is known, and let the poller look at it."""
        ...

    def end_waste(self, job_id: str, waste: Waste) -> None:
        """Note that it has ended and is booked, with what it cost."""
        ...

    def follow(self, job_id: str, at: datetime) -> None:
        """Let the poller look at the job from `at` on, unless it does so already."""
        ...

    def unfollow(self, item: LiveJob) -> None:
        """Take the job out of the poller's sight, unless other waste is known by now."""
        ...

    def record_prediction(
        self, job_id: str, attempt: int, replicate_id: str, at: datetime, source: str
    ) -> LiveJob:
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

    def store_token(self, job_id: str, task_token: str, at: datetime) -> LiveJob:
        """Store the token (a new one replaces the old) and return the item with it."""
        ...

    def mark_released(self, job_id: str, task_token: str, attempt: int, at: datetime) -> None:
        """Note that this token was answered and leave the in-flight index.

        Not once another attempt has been claimed since: the poller must watch over that one.
        """
        ...

    def mark(self, job_id: str, event: JobEvent, status: JobStatus | None = None) -> None:
        """Put a mark on the timeline, once per name, and move the status unless terminal."""
        ...

    def reschedule(
        self, job_id: str, next_check_at: datetime, seen: Prediction | None = None
    ) -> None:
        """Ask the poller to look again later, count the check, keep what was seen of the log."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Ids of jobs in flight whose next check is due, the longest overdue first."""
        ...

    def delete(self, job_id: str) -> None:
        """Remove the item of an ended job. Raises JobNotEnded when it has not ended."""
        ...

    def finish(self, finished: FinishedJob, document: StatusDocument) -> LiveJob | None:
        """Write the end of the job, leave the in-flight index; None if it had ended otherwise."""
        ...

    def mark_announced(self, job_id: str) -> None:
        """Note that the job's end was announced."""
        ...


class Announcements(Protocol):
    """SQS and EventBridge."""

    def ended(self, document: StatusDocument, *, callback: bool) -> None:
        """Tell that a job has ended; with `callback` also ask for its client to be called.

        A second announcement is a second message: whoever listens knows them by the jobId.
        """
        ...


class CallbackQueue(Protocol):
    """SQS: deliveries that are due."""

    def enqueue(self, job_id: str, delivery_id: str) -> None: ...


class CallbackLog(Protocol):
    """PostgreSQL: where clients want to be called, and what came of it."""

    def target(self, job_id: str) -> CallbackTarget | None:
        """None for a job that never was or is deleted."""
        ...

    def settled(self, job_id: str, delivery_id: str) -> bool:
        """Whether the client has taken it, or answered that it wants no more."""
        ...

    def add(self, job_id: str, attempt: DeliveryAttempt) -> None:
        """Write the attempt down; for a deleted job nothing."""
        ...

    def attempts(self, job_id: str) -> Sequence[DeliveryAttempt]:
        """The latest hundred, newest first."""
        ...


class CallbackPost(Protocol):
    """HTTP, to a client's address."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Never raises for what the address or its server does: that is what the reply says."""
        ...


class Provider(Protocol):
    """Replicate. Errors are those of `domain.errors`; every call has a timeout."""

    def create(
        self, reference: str, provider_input: Mapping[str, Any], webhook: str, cancel_after: int
    ) -> Prediction:
        """Create a prediction. `reference` is `owner/name` (official) or `owner/name:version`.

        Raises ProviderThrottled or ProviderUnavailable when surely nothing was accepted,
        ProviderRejected / ProviderAuthenticationFailed / ProviderInsufficientCredit when refused,
        SubmissionUncertain when nobody knows.
        """
        ...

    def get(self, replicate_id: str) -> Prediction | None:
        """None when the provider does not know the id (it may not, for a moment after creation)."""
        ...

    def list_since(self, created_after: datetime) -> Iterator[Prediction]:
        """Predictions created after the moment, newest first, page by page."""
        ...

    def cancel(self, replicate_id: str) -> Prediction | None:
        """Cancel; of a finished prediction the finished state comes back; None when unknown."""
        ...

    def webhook_secret(self) -> str: ...


class Callbacks(Protocol):
    """Step Functions task tokens. A token that was answered or has timed out is success."""

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> None: ...

    def fail(self, task_token: str, error: str, cause: str) -> None: ...


class RateLimits(Protocol):
    """Redis, or whoever takes its place."""

    def admit(
        self,
        job: Job,
        now: datetime,
        default: Limits,
        own: Callable[[], Limits | None],
        history: Callable[[], Sequence[RecentJob]],
    ) -> tuple[Admission, Limits]:
        """Decide on both limits at once, atomically; a refused job is counted in neither.

        `own` (the user's limits, remembered for a while; None when nobody can tell, then `default`
        is in force) and `history` (the user's jobs of the last hour) are asked for only when they
        are not known: after an idle while, or when Redis lost its data.
        """
        ...

    def release(self, user_id: str, job_id: str) -> None:
        """The job runs no more. Never raises: a place that stays is free at the job's deadline."""
        ...

    def withdraw(self, user_id: str, job_id: str) -> None:
        """The job was admitted and never started: count it nowhere. Never raises."""
        ...


class StatusCache(Protocol):
    """Redis. A cache that is away is a cache that misses: reading and writing never raise."""

    def get(self, job_id: str) -> StatusDocument | None: ...

    def put(self, document: StatusDocument) -> None: ...

    def close(self, job_id: str) -> None:
        """Forget the job and keep nothing about it from now on; raises StoreUnavailable."""
        ...


class WebhookSecrets(Protocol):
    """What the provider's webhooks are signed with."""

    def current(self) -> Sequence[str]:
        """The secrets in force: several while one is being rotated."""
        ...

    def renewed(self) -> Sequence[str]:
        """Those in force by now, for a signature that fits none; none if that was asked lately."""
        ...


class WebhookMemory(Protocol):
    """Redis: a hint that a prediction's end has been dealt with. No method raises."""

    def seen(self, replicate_id: str) -> bool: ...

    def remember(self, replicate_id: str) -> None: ...


class Media(Protocol):
    """S3 and the download of output files."""

    def store(self, job: Job, index: int, url: str) -> MediaAsset:
        """Stream output number `index` of the job to S3, look into it, store its thumbnail.

        Called from several threads at once. Raises OutputExpired, OutputInvalid, DownloadRefused,
        DownloadFailed.
        """
        ...


class Uploads(Protocol):
    """S3: one file of a user's under each id, gone a day later."""

    def form(
        self, user_id: str, upload_id: str, request: UploadRequest, max_bytes: int
    ) -> UploadForm:
        """What the user sends the file with."""
        ...

    def find(self, user_id: str, upload_id: str) -> UploadedFile | None:
        """None when this user has sent no file under this id."""
        ...

    def address(self, user_id: str, upload_id: str, seconds: int) -> str:
        """An address from which the file can be fetched for so many seconds."""
        ...


class ObjectRemoval(Protocol):
    """S3."""

    def remove(self, prefix: str) -> int:
        """Remove every object below the prefix; how many there were."""
        ...


class Signer(Protocol):
    def url(self, s3_key: str, content_type: str | None = None) -> str:
        """An address from which the object can be fetched for a while."""
        ...

    def period(self, at: datetime) -> int | None:
        """A number that changes while addresses made at `at` still work for half of their life.

        None when addresses work for ever.
        """
        ...


class Metrics(Protocol):
    def count(self, name: str, /, **dimensions: str) -> None: ...

    def seconds(self, name: str, value: float, /, **dimensions: str) -> None: ...

    def record(self, values: Mapping[str, float], /, **dimensions: str) -> None:
        """Several values of one moment, by name."""
        ...
