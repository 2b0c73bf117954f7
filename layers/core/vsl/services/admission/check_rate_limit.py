"""Admit a job within its user's limits, those of an hour and those of one moment, once per job.

Redis counts; PostgreSQL knows users' own limits and takes over when Redis is away, with the same
answer. (Only Redis is atomic: while it is away, jobs checked at the very same moment may all pass.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vsl.domain.api.limits import WINDOW, Admission, Limits, RecentJob, Verdict, admit
from vsl.domain.errors import QueueFull, RateLimitExceeded, StoreUnavailable, TooManyJobs
from vsl.domain.jobs.flow import flow_of
from vsl.domain.jobs.job import Job
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.limits import RateLimits
from vsl.services.ports.pacing import Outlook, QueueView
from vsl.services.ports.system import Clock, Metrics

_LONGEST_HINT_SECONDS = 60
_LONGEST_QUEUE_HINT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class CheckRateLimit:
    """`default` are the limits of a user without limits of their own; `queue_limit` is how many jobs of all
    users may wait for the provider, 0 for any number."""

    limits: RateLimits
    repository: JobRepository
    clock: Clock
    metrics: Metrics
    default: Limits
    queue: QueueView
    queue_limit: int

    def __call__(
        self, job: Job, *, created: bool = False
    ) -> tuple[Admission, Limits, Outlook | None]:
        """With the queue as it is for a job that is admitted now; None for one that was admitted before, and
        without Redis.

        Raises RateLimitExceeded, TooManyJobs, QueueFull; StoreUnavailable when neither store can tell.

        `created`: the stores have the job, so it was admitted before. Its age is no proof of that.
        """
        now = self.clock.now()

        def history() -> Sequence[RecentJob]:
            return self.repository.recent_jobs(job.user_id, now - WINDOW)

        def history_if_known() -> Sequence[RecentJob]:
            try:
                return history()
            except StoreUnavailable:
                return ()

        def own() -> Limits | None:
            try:
                return self.repository.user_limits(job.user_id).over(self.default)
            except StoreUnavailable:
                return None

        try:
            admission, in_force = self.limits.admit(
                job, now, self.default, own, history_if_known, created=created
            )
        except StoreUnavailable:
            in_force = own() or self.default
            admission = admit(job, in_force, history(), now, created=created)
        if not admission.admitted:
            self.metrics.count("RateLimited", mediaType=job.media_type.value, modelId=job.model_id)
            raise _refusal(job, admission, in_force)
        if admission.verdict is not Verdict.ADMITTED:
            return admission, in_force, None
        outlook = self.queue.outlook(flow_of(job), self.clock.now())
        if outlook is not None and (full := self._full(outlook)):
            self.limits.withdraw(job.user_id, job.job_id)
            self.metrics.count("RateLimited", mediaType=job.media_type.value, modelId=job.model_id)
            raise full
        return admission, in_force, outlook

    def _full(self, outlook: Outlook) -> QueueFull | None:
        if not self.queue_limit or outlook.waiting < self.queue_limit:
            return None
        seconds = max(1, min(_LONGEST_QUEUE_HINT_SECONDS, math.ceil(outlook.place.starts_in)))
        return QueueFull(
            f"{_jobs(outlook.waiting)} wait for the provider already; try again in {_words(seconds)}.",
            retryAfter=seconds,
            limit=self.queue_limit,
        )


def _refusal(job: Job, admission: Admission, limits: Limits) -> RateLimitExceeded | TooManyJobs:
    headers = admission.headers(limits)
    if 0 in {limits.per_hour, limits.concurrent}:
        kind, limit = (
            (RateLimitExceeded, "hourly") if limits.per_hour == 0 else (TooManyJobs, "concurrent")
        )
        return kind(
            f"This user may not start jobs: the {limit} limit is 0. Ask the operator to raise it.",
            limit=0,
            headers=headers,
        )
    if admission.verdict is Verdict.HOUR_IS_FULL:
        seconds = max(1, math.ceil(admission.next_place))
        return RateLimitExceeded(
            f"The limit of {_jobs(limits.per_hour)} an hour is reached; try again in"
            f" {_words(seconds)}.",
            retryAfter=seconds,
            limit=limits.per_hour,
            headers=headers,
        )
    # A guess: if the others are like this one, one of them ends about then.
    guess = min(_LONGEST_HINT_SECONDS, math.ceil(job.estimated_time / limits.concurrent))
    return TooManyJobs(
        f"The limit of {_jobs(limits.concurrent)} at once is reached; try again when one has"
        " ended.",
        retryAfter=max(1, guess),
        limit=limits.concurrent,
        headers=headers,
    )


def _jobs(number: int) -> str:
    return f"{number} job{'' if number == 1 else 's'}"


def _words(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(seconds / 60)} minutes"
