"""Redis: rate limits, waiting places and cached statuses."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from vsl.domain.api.limits import Admission, Limits, RecentJob
from vsl.domain.jobs.job import (
    Job,
)
from vsl.domain.jobs.status import AskedDocument, StatusDocument


class RateLimits(Protocol):
    """Redis, or PostgreSQL while Redis is away."""

    def admit(
        self,
        job: Job,
        now: datetime,
        default: Limits,
        own: Callable[[], Limits | None],
        history: Callable[[], Sequence[RecentJob]],
        *,
        created: bool = False,
    ) -> tuple[Admission, Limits]:
        """Decide on both limits at once, atomically; a refused job is counted in neither.

        A job that was `created` has been admitted: it takes its place if it has none, and is never
        refused.

        `own` (the user's limits, remembered for a while; None when they cannot be read, then `default`
        is in force) and `history` (the user's jobs of the last hour) are asked for only when they
        are not known: after an idle while, or when Redis lost its data.
        """
        ...

    def extend(self, user_id: str, job_id: str, now: datetime, until: datetime) -> None:
        """The job runs until then at the latest: it waits for the provider, or has waited. Changes nothing
        for a job that has no place. Never raises."""
        ...

    def release(self, user_id: str, job_id: str) -> None:
        """The job runs no more. Never raises: a place that stays is free at the job's deadline."""
        ...

    def withdraw(self, user_id: str, job_id: str) -> None:
        """The job was admitted and never started: count it nowhere. Never raises."""
        ...


class WaitPlaces(Protocol):
    """Redis. While it is away there is no place: a wait would look into DynamoDB every second."""

    def take(self, user_id: str, wait_id: str, now: datetime, until: datetime) -> bool:
        """Whether there was one; it is free again at `until` whatever happens. Never raises."""
        ...

    def give_back(self, user_id: str, wait_id: str) -> None:
        """Never raises."""
        ...


class StatusCache(Protocol):
    """Redis. A cache that is away is a cache that misses: reading and writing never raise."""

    def get(self, job_id: str) -> StatusDocument | None: ...

    def put(self, document: StatusDocument) -> None: ...

    def asked(self, job_id: str) -> AskedDocument | None:
        """What the job was asked with, which never changes."""
        ...

    def keep_asked(self, job_id: str, asked: AskedDocument) -> None: ...

    def close(self, job_id: str) -> None:
        """Forget the job and keep nothing about it from now on; raises StoreUnavailable."""
        ...
