"""Virtual time and fibers: concurrent actors on one clock that jumps, in one exact order.

A fiber is a greenlet, so exactly one piece of code runs at any moment and a run is the same every
time. Sleeping costs no real time.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from tests.support.fakes import START


class FiberKilled(BaseException):
    """The run is over and this fiber was still waiting."""


@dataclass(order=True)
class Event:
    """Something that happens at a virtual second; `background` events keep no run alive."""

    at: float
    order: int
    act: Callable[[], None] = field(compare=False)
    background: bool = field(default=False, compare=False)
    canceled: bool = field(default=False, compare=False)


class Fiber:
    """One run of a function; `value` or `error` hold what came of it, once `done`."""

    def __init__(self, scheduler: "Scheduler", name: str, work: Callable[[], Any]) -> None:
        self.scheduler = scheduler
        self.name = name
        self.value: Any = None
        self.error: BaseException | None = None
        self.ended = Signal(scheduler)
        self.killed = False
        self.limit: float | None = None
        self._work = work
        self._greenlet = greenlet(self._run)

    @property
    def done(self) -> bool:
        return self.ended.set_already

    def resume(self) -> None:
        """Let it run until it waits or ends; only the scheduler calls this."""
        if self.done:
            return
        before, self.scheduler.current = self.scheduler.current, self
        self._greenlet.parent = getcurrent()
        self._greenlet.switch()
        self.scheduler.current = before

    def pause(self) -> None:
        """Back to whoever let it run; called on the fiber itself."""
        self._greenlet.parent.switch()
        if self.killed:
            raise FiberKilled

    def _run(self) -> None:
        try:
            if not self.killed:
                self.value = self._work()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the fiber judges it
            self.error = error
        self.ended.set()


class Signal:
    """Set once; whoever waits goes on at that moment, in the order of waiting."""

    def __init__(self, scheduler: "Scheduler") -> None:
        self.scheduler = scheduler
        self.set_already = False
        self._waiting: list[Callable[[], None]] = []

    def set(self) -> None:
        if not self.set_already:
            self.set_already = True
            for wake in self._waiting:
                wake()

    def then(self, act: Callable[[], None]) -> None:
        if self.set_already:
            act()
        else:
            self._waiting.append(act)

    def wait(self, timeout: float | None = None) -> bool:
        """True when it was set, False when the time ran out first."""
        if self.set_already:
            return True
        scheduler, fiber = self.scheduler, self.scheduler.current
        assert fiber is not None
        woken: list[bool] = []

        def wake(result: bool) -> None:
            if not woken:
                woken.append(result)
                scheduler.after(0, fiber.resume)

        self.then(lambda: wake(True))
        timer = scheduler.after(timeout, lambda: wake(False)) if timeout is not None else None
        try:
            fiber.pause()
        finally:
            if timer:
                timer.canceled = True
        return woken[0]


class Scheduler:
    """Virtual seconds since the start; events of the same moment keep their order."""

    def __init__(self) -> None:
        self.now = 0.0
        self.current: Fiber | None = None
        self.fibers: list[Fiber] = []
        self._queue: list[Event] = []
        self._order = itertools.count()

    def moment(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def at(self, when: float, act: Callable[[], None], *, background: bool = False) -> Event:
        event = Event(max(when, self.now), next(self._order), act, background)
        heapq.heappush(self._queue, event)
        return event

    def after(self, delay: float, act: Callable[[], None], *, background: bool = False) -> Event:
        return self.at(self.now + delay, act, background=background)

    def spawn(self, name: str, work: Callable[[], Any], delay: float = 0) -> Fiber:
        fiber = Fiber(self, name, work)
        self.fibers.append(fiber)
        self.after(delay, fiber.resume)
        return fiber

    def sleep(self, seconds: float) -> None:
        """Let the current fiber wait; without other events before then, the clock just moves."""
        fiber = self.current
        if fiber is None:
            self.now += seconds
            return
        while self._queue and self._queue[0].canceled:
            heapq.heappop(self._queue)
        if not self._queue or self._queue[0].at > self.now + seconds:
            self.now += seconds
            return
        self.after(seconds, fiber.resume)
        fiber.pause()

    def busy(self) -> bool:
        """Whether anything but the background is still going to happen."""
        return any(not event.background and not event.canceled for event in self._queue) or any(
            not fiber.done for fiber in self.fibers
        )

    def soon(self, within: float, aside: Sequence[Event]) -> list[float]:
        """In how many seconds something happens, up to `within`; the background aside, too."""
        ahead = (
            event.at - self.now
            for event in self._queue
            if not event.background and not event.canceled and event not in aside
        )
        return sorted(round(seconds, 1) for seconds in ahead if seconds < within)

    def run(self, until: float, stop: Callable[[], bool]) -> None:
        """Until `stop` says so (asked after every event) or the virtual second `until`."""
        while self._queue and self._queue[0].at <= until:
            event = heapq.heappop(self._queue)
            if event.canceled:
                continue
            self.now = max(self.now, event.at)
            event.act()
            if stop():
                return

    def close(self) -> None:
        """End every fiber that still waits, so that what it holds is let go."""
        for fiber in self.fibers:
            if not fiber.done:
                fiber.killed = True
                while not fiber.done:
                    fiber.resume()
