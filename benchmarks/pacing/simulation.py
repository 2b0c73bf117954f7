"""Bursts in virtual time: the real scripts in a real Redis, and what calls them, event by event.

A job is a place in the queue, a submission 0.3 s after its slot, and its place again if that is refused.
The dispatcher sleeps from slot to slot. The poller looks every minute, at jobs whose turn should have
come a minute ago. Some of those who wait look at their estimate, at regular intervals.
"""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.pacing.provider import Provider
from vsl.adapters.redis.slots import RedisSlots
from vsl.domain.jobs.flow import Flow
from vsl.services.pacing.dispatch_queue import BEAT, LONGEST_NAP
from vsl.services.pacing.join_queue import check_after

START = datetime(2026, 11, 1, tzinfo=UTC)
SUBMITTING = 0.3
# From the call of a dispatcher to its first look.
APPEARING = 0.5
POLLED_EVERY = 60.0
LOOKED_EVERY = 5.0
# Of a user's jobs, in the order in which they came, each so many-th looks.
ONE_IN = 5


class Simulation:
    """Times are in seconds since the start."""

    def __init__(self, slots: RedisSlots, provider: Provider) -> None:
        self.slots, self.provider = slots, provider
        self.time = 0.0
        self.asked: dict[str, tuple[str, float]] = {}
        self.started: dict[str, float] = {}
        self.first_estimates: dict[str, float] = {}
        # By job: the moments between which it was told that it would start, at each look.
        self.bands: dict[str, list[tuple[float, float]]] = {}
        self._waiting: dict[str, str] = {}
        self._checks: dict[str, float] = {}
        self._looking: set[str] = set()
        self._dispatchers = itertools.count(1)
        self._dispatcher = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._left = 0
        self.at(POLLED_EVERY, self._poll)
        self.at(0.0, self._look)

    def at(self, moment: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), work))

    def request(self, user: str, moment: float, count: int) -> None:
        """So many jobs of the user at that moment."""
        self._left += count
        for number in range(count):
            job = f"{moment:09.3f} {user} {number:05}"
            if number % ONE_IN == 0:
                self._looking.add(job)
            self.at(moment, lambda job=job: self._arrive(job, user))  # type: ignore[misc]

    def kill_dispatcher(self) -> None:
        """With the slots that it has just granted, of which no job hears."""
        if self._dispatcher:
            self.slots.next(self._now(), self._now() + BEAT)
        self._dispatcher = 0

    def run(self) -> None:
        while self._left:
            self.time, _, work = heapq.heappop(self._events)
            work()

    def waits(self, user: str) -> list[float]:
        return [self.started[job] - at for job, (who, at) in self.asked.items() if who == user]

    def coverage(self) -> float:
        """The share of looks whose band held the start: the mean over the starts that had any."""
        shares = [
            sum(low <= self.started[job] <= high for low, high in told) / len(told)
            for job, told in self.bands.items()
        ]
        return sum(shares) / len(shares) if shares else 1.0

    def _now(self) -> datetime:
        return START + timedelta(seconds=self.time)

    def _arrive(self, job: str, user: str) -> None:
        self.asked[job] = (user, self.time)
        self._join(job, user)

    def _join(self, job: str, user: str) -> None:
        turn = self.slots.join(job, Flow(user), self._now())
        if turn.granted:
            self._wake(job)
            return
        self._waiting[job] = user
        self._checks[job] = self.time + check_after(turn).total_seconds()
        self.first_estimates.setdefault(job, turn.starts_in)
        if turn.unwatched:
            self.at(self.time + APPEARING, self._appear)

    def _wake(self, job: str) -> None:
        self._waiting.pop(job, None)
        self.at(self.time + SUBMITTING, lambda: self._submit(job))

    def _submit(self, job: str) -> None:
        user, _ = self.asked[job]
        wait = self.provider.create(self.time)
        if wait:
            self.slots.throttled(job, self._now(), wait)
            self._join(job, user)
            return
        if job in self.started:
            raise AssertionError(f"submitted twice: {job}")
        self.started[job] = self.time
        self._left -= 1

    def _appear(self) -> None:
        if not self._dispatcher:
            self._dispatcher = next(self._dispatchers)
            self._dispatch(self._dispatcher)

    def _dispatch(self, dispatcher: int) -> None:
        """One turn of the dispatcher's loop, unless it was killed."""
        if dispatcher != self._dispatcher:
            return
        turn = self.slots.next(self._now(), self._now() + BEAT)
        for job in turn.job_ids:
            if job in self._waiting:
                self._wake(job)
        if turn.incomplete:
            self._refill()
        elif turn.next_in is None and not turn.job_ids:
            self._dispatcher = 0
            return
        nap = 0.0 if turn.incomplete else min(max(turn.next_in or 0.0, 0.001), LONGEST_NAP)
        self.at(self.time + nap, lambda: self._dispatch(dispatcher))

    def _refill(self) -> None:
        for job in sorted(self._waiting, key=lambda job: self.asked[job][1]):
            if self.slots.reserve(job, Flow(self._waiting[job]), self._now()).granted:
                self._wake(job)
        self.slots.mark_complete(self._now())

    def _poll(self) -> None:
        for job, user in list(self._waiting.items()):
            if self._checks[job] <= self.time:
                self._join(job, user)
        self.at(self.time + POLLED_EVERY, self._poll)

    def _look(self) -> None:
        lookers = [job for job in self._waiting if job in self._looking]
        for job, place in self.slots.look(lookers, self._now()).items():
            band = (self.time + place.earliest, self.time + place.latest)
            self.bands.setdefault(job, []).append(band)
        self.at(self.time + LOOKED_EVERY, self._look)


def jain(values: list[float]) -> float:
    """https://en.wikipedia.org/wiki/Fairness_measure: 1 where all are equal."""
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))
