"""Admit a job within its user's hourly limit: a sliding hour, counted once per job.

Redis counts; PostgreSQL knows users' own limits and takes over when Redis is away, with the same
answer. (Only Redis is atomic: while it is away, jobs checked at the very same moment may all pass.)
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from vsl.domain.errors import RateLimitExceeded, StoreUnavailable
from vsl.domain.job import Job
from vsl.services.ports import Accounting, Clock, Metrics, RateLimits

WINDOW = timedelta(hours=1)


def check_rate_limit(
    job: Job,
    *,
    limits: RateLimits,
    accounting: Accounting,
    clock: Clock,
    default_limit: int,
    metrics: Metrics,
) -> None:
    """Raises RateLimitExceeded, or StoreUnavailable when neither store can tell."""
    now = clock.now()

    def history() -> Sequence[datetime]:
        return accounting.jobs_since(job.user_id, now - WINDOW, excluding=job.job_id)

    def history_if_known() -> Sequence[datetime]:
        try:
            return history()
        except StoreUnavailable:
            return ()

    limit = _limit_of(job.user_id, limits, accounting, default_limit)
    try:
        wait = limits.admit(job.user_id, job.job_id, limit, now, history_if_known)
    except StoreUnavailable:
        wait = seconds_to_wait(history(), limit, now)
    if wait is not None:
        metrics.count("RateLimited", mediaType=job.media_type.value, modelId=job.model_id)
        raise _exceeded(limit, wait)


def seconds_to_wait(admitted: Sequence[datetime], limit: int, now: datetime) -> float | None:
    """None when there is a place, else seconds until enough of `admitted` (oldest first) are old."""
    if len(admitted) < limit:
        return None
    if limit == 0:
        return WINDOW.total_seconds()
    return (admitted[len(admitted) - limit] + WINDOW - now).total_seconds()


def _limit_of(user_id: str, limits: RateLimits, accounting: Accounting, default_limit: int) -> int:
    with suppress(StoreUnavailable):
        cached = limits.cached_limit(user_id)
        if cached is not None:
            return cached
    try:
        own = accounting.hourly_limit(user_id)
    except StoreUnavailable:
        return default_limit
    limit = default_limit if own is None else own
    with suppress(StoreUnavailable):
        limits.cache_limit(user_id, limit)
    return limit


def _exceeded(limit: int, wait: float) -> RateLimitExceeded:
    seconds = max(1, math.ceil(wait))
    if limit == 0:
        return RateLimitExceeded(
            "This user may not start jobs: the hourly limit is 0. Ask the operator to raise it.",
            limit=limit,
        )
    jobs = "job" if limit == 1 else "jobs"
    message = f"The limit of {limit} {jobs} an hour is reached; try again in {_words(seconds)}."
    return RateLimitExceeded(message, retryAfter=seconds, limit=limit)


def _words(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(seconds / 60)} minutes"
