"""How many jobs a user may start and run at once, and what a client is told of it.

Headers: draft-ietf-httpapi-ratelimit-headers-10, `RateLimit-Policy` and `RateLimit`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from vsl.domain.jobs.job import Job

# Longer than any job may run: the jobs of the last hour include all that run.
WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """`per_hour`: jobs started in any sixty minutes; `concurrent`: jobs that run at once."""

    per_hour: int
    concurrent: int


@dataclass(frozen=True, slots=True)
class UserLimits:
    """A user's own limits; None where the default is in force."""

    per_hour: int | None = None
    concurrent: int | None = None

    def over(self, default: Limits) -> Limits:
        return Limits(
            default.per_hour if self.per_hour is None else self.per_hour,
            default.concurrent if self.concurrent is None else self.concurrent,
        )


@dataclass(frozen=True, slots=True)
class RecentJob:
    """A job the accounting knows; `deadline` is until when it may run, None once it has ended."""

    job_id: str
    created_at: datetime
    deadline: datetime | None


class Verdict(Enum):
    ADMITTED = "admitted"
    AGAIN = "admitted before"
    HOUR_IS_FULL = "hour is full"
    TOO_MANY_RUN = "too many run"


@dataclass(frozen=True, slots=True)
class Admission:
    """The verdict with the counts behind it, the job itself included once it is admitted.

    `next_place`: seconds until the hour has one place more than now.
    """

    verdict: Verdict
    in_hour: int
    running: int
    next_place: float

    @property
    def admitted(self) -> bool:
        return self.verdict in {Verdict.ADMITTED, Verdict.AGAIN}

    def headers(self, limits: Limits) -> dict[str, str]:
        """Structured fields; `t` is when the next place comes free, as the hour slides."""
        left = max(0, limits.per_hour - self.in_hour)
        free = max(0, limits.concurrent - self.running)
        seconds = max(1, math.ceil(self.next_place))
        return {
            "RateLimit-Policy": f'"hour";q={limits.per_hour};w={int(WINDOW.total_seconds())},'
            f' "concurrent";q={limits.concurrent};qu="concurrent-requests"',
            "RateLimit": f'"hour";r={left};t={seconds}, "concurrent";r={free}',
        }


def admit(
    job: Job, limits: Limits, recent: Sequence[RecentJob], now: datetime, *, created: bool = False
) -> Admission:
    """The same rule as the script in Redis, over the accounting's memory of the user's jobs.

    A job that is written down was admitted before that, however long ago.
    """
    started = sorted(each.created_at for each in recent if each.created_at > now - WINDOW)
    running = sum(1 for each in recent if each.deadline is not None and each.deadline > now)
    if created or any(each.job_id == job.job_id for each in recent):
        verdict = Verdict.AGAIN
    elif len(started) >= limits.per_hour:
        verdict = Verdict.HOUR_IS_FULL
    elif running >= limits.concurrent:
        verdict = Verdict.TOO_MANY_RUN
    else:
        verdict = Verdict.ADMITTED
        started, running = [*started, now], running + 1
    return Admission(verdict, len(started), running, next_place(started, limits.per_hour, now))


def next_place(started: Sequence[datetime], per_hour: int, now: datetime) -> float:
    """Seconds until one more job may start than now; `started` are those of the hour, oldest first."""
    if not started or per_hour == 0:
        return WINDOW.total_seconds()
    leaving = started[max(0, len(started) - per_hour)]
    return (leaving + WINDOW - now).total_seconds()
