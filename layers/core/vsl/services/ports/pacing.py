"""Redis: the slots in which predictions may be created, and the fair queue of jobs that wait for one.

Redis orders the queue and is the truth of nothing: a job that waits says so in its tracking item. While
Redis is away there is a slot for every job, and the provider's 429 is what holds jobs back.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vsl.domain.jobs.flow import Flow
from vsl.domain.jobs.place import Place


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a job stands. `granted`: it may be submitted now. Else `position` counts from 1 and
    `starts_in` is an estimate in seconds; `unwatched`: no dispatcher runs, and one has to be called.
    """

    granted: bool
    position: int = 0
    starts_in: float = 0.0
    unwatched: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many jobs wait, the place of one that joined now, and how many of its flow do."""

    waiting: int
    place: Place
    of_flow: int = 0


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The jobs whose turn it is; `next_in` seconds until there is another, None when no job waits;
    `waiting` how many do. `incomplete`: jobs that wait may be missing, since Redis was emptied."""

    job_ids: Sequence[str]
    next_in: float | None
    waiting: int = 0
    incomplete: bool = False


class QueueView(Protocol):
    """The queue for those who only look at it. Nothing of it ever raises: without Redis
    there is none."""

    def look(self, job_ids: Collection[str], now: datetime) -> Mapping[str, Place]:
        """The places of those among them that are in the queue."""
        ...

    def outlook(self, flow: Flow, now: datetime) -> Outlook | None:
        """The queue for a job of that flow; None without Redis."""
        ...

    def waiting(self, now: datetime) -> int:
        """How many jobs are in the queue."""
        ...


class Slots(QueueView, Protocol):
    def reserve(self, job_id: str, flow: Flow, now: datetime) -> Turn:
        """A slot if one is free and no job waits, else a place in the queue. The same job gets the same
        answer again, for as long as a slot is kept for it. Never raises."""
        ...

    def join(self, job_id: str, flow: Flow, now: datetime) -> Turn:
        """The same, for a caller that calls a dispatcher when the answer says that none runs."""
        ...

    def next(self, now: datetime, watched_until: datetime) -> Dispatch:
        """Grant what is due, in the order of the queue. The dispatcher is at work until then."""
        ...

    def mark_complete(self, now: datetime) -> None:
        """Every job that waits is in the queue; `next` no longer says that it is incomplete."""
        ...

    def give_back(self, job_id: str, now: datetime) -> None:
        """The job needs neither its slot nor its place. Never raises."""
        ...

    def spend(self, job_id: str, now: datetime) -> None:
        """The job has used the slot it was granted, and needs another. Never raises."""
        ...

    def throttled(self, job_id: str, now: datetime, retry_after: float) -> None:
        """The provider refused in spite of the slot: none is granted for `retry_after` seconds, and the
        job gets its place again when it joins. Never raises."""
        ...
