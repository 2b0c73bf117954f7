"""Which function calls may run now: a bounded number, the others wait in the order they came.

Each worker is a process, and the machine has few cores: without a bound, twenty requests at a time
start a hundred processes, and all of them miss their time limits. A call waits here before it has
a worker, so the function's own time limit does not run yet.
"""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """`each`: calls of one function at a time; `total`: calls of all functions.

    A call counts in the total for `share` seconds: one that runs longer is waiting for something
    outside (a slow download, a customer's server) and must not keep the others from running.

    Functions in `holding` hold a client's request until its job changes. They use no processor
    meanwhile, so they do not count in the total, and up to `patient` of each run at once; the limit
    `each` is one on their calls younger than `look` seconds, by which those that need not wait are
    done. Those in `behind` run when no other call wants the place, and one of each at a time as long
    as it counts in the total: every further one would be one more worker in memory, and no faster.
    """

    each: int = 2
    total: int = 4
    share: float = 1.0
    holding: frozenset[str] = frozenset()
    patient: int = 40
    look: float = 0.25
    behind: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Call:
    """`began` is when it was admitted."""

    function: str
    began: float = field(default=0.0)


class Places:
    """The book of running and waiting calls. Not thread-safe; times in seconds of one clock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: list[Call] = []
        self._queue: list[Call] = []

    def ask(self, function: str) -> Call:
        call = Call(function)
        self._queue.append(call)
        return call

    def leave(self, call: Call) -> None:
        """The call has ended, or gives up waiting."""
        (self._running if call in self._running else self._queue).remove(call)

    def admit(self, now: float) -> list[Call]:
        """The calls that may run from now on, in the order they came, those behind last."""
        limits = self._limits
        running = Counter(call.function for call in self._running)
        looking = Counter(
            call.function
            for call in self._running
            if call.function in limits.holding and now - call.began < limits.look
        )
        young = Counter(
            call.function
            for call in self._running
            if call.function not in limits.holding and now - call.began < limits.share
        )
        admitted: list[Call] = []
        for call in sorted(self._queue, key=lambda call: call.function in limits.behind):
            name = call.function
            if name in limits.holding:
                free = looking[name] < limits.each and running[name] < limits.patient
                looking[name] += free
            else:
                free = young.total() < limits.total and running[name] < limits.each
                free = free and not (name in limits.behind and young[name])
                young[name] += free
            running[name] += free
            if free:
                call.began = now
                admitted.append(call)
        if admitted:
            self._queue = [call for call in self._queue if call not in admitted]
            self._running += admitted
        return admitted

    def next_change(self, now: float) -> float:
        """Seconds until running calls may make room by their age alone."""
        limits = self._limits
        ages = (
            call.began + (limits.look if call.function in limits.holding else limits.share) - now
            for call in self._running
        )
        return min((age for age in ages if age > 0), default=limits.share)
