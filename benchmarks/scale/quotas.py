"""Quotas as they are enforced: token buckets and executions at once, and a flow of jobs through them.

Jobs are a fluid: each tick every step lets through what all of its quotas allow, shared in
proportion to what waits. That is exact for rates and sums, and says nothing about single jobs.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

TICK = 0.2
_NOTHING = 1e-9


@dataclass
class Bucket:
    """`burst` tokens at first and at most, `rate` new ones a second."""

    burst: float
    rate: float
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def refill(self, seconds: float) -> None:
        # What a tick itself brings may be spent in it, however small the burst.
        self.tokens = min(max(self.burst, self.rate * seconds), self.tokens + self.rate * seconds)

    def take(self, amount: float) -> None:
        self.tokens = max(0.0, self.tokens - amount)


@dataclass
class Slots:
    """Executions at once; `growth` more are allowed with each second. What takes half a tick is
    half an execution in it."""

    limit: float
    growth: float = 0.0
    busy: deque[float] = field(default_factory=lambda: deque([0.0]))
    peak: float = 0.0

    @property
    def free(self) -> float:
        return max(0.0, self.limit - self.busy[0])

    def hold(self, number: float, seconds: float) -> None:
        left = seconds / TICK
        place = 0
        while left > _NOTHING:
            if place == len(self.busy):
                self.busy.append(0.0)
            self.busy[place] += number * min(1.0, left)
            left -= 1
            place += 1
        self.peak = max(self.peak, self.busy[0])

    def tick(self) -> None:
        self.limit += self.growth * TICK
        if len(self.busy) > 1:
            self.busy.popleft()
        else:
            self.busy[0] = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """What a job needs to pass, and how long it is then on its way to the next step.

    `tokens` by bucket; `holds` are seconds by kind of slot; after `patience` seconds of waiting a
    job fails.
    """

    name: str
    seconds: float
    tokens: Mapping[str, float] = field(default_factory=dict)
    holds: Mapping[str, float] = field(default_factory=dict)
    patience: float | None = None


@dataclass
class Course:
    """What came of a run: by tick what had ended and failed, and what waited at the end."""

    offered: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    failed: float = 0.0
    waiting: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    short: dict[str, float] = field(default_factory=dict)
    """Seconds at which each quota first held something up."""

    def rate(self, seconds: float) -> float:
        """Finished jobs a second, over the last `seconds`."""
        ticks = round(seconds / TICK)
        return sum(self.finished[-ticks:]) / (ticks * TICK)

    @property
    def first(self) -> str | None:
        """The quota that held something up first."""
        return min(self.short, key=lambda name: self.short[name], default=None)


@dataclass
class _Queue:
    """Jobs in front of a step, in the order of their coming, and those on their way to it."""

    entries: deque[tuple[int, float]] = field(default_factory=deque)
    coming: dict[int, float] = field(default_factory=dict)
    waiting: float = 0.0

    def arrive(self, tick: int) -> None:
        amount = self.coming.pop(tick, 0.0)
        if amount > _NOTHING:
            self.entries.append((tick, amount))
            self.waiting += amount

    def leave(self, amount: float) -> None:
        self.waiting = max(0.0, self.waiting - amount)
        while amount > _NOTHING and self.entries:
            tick, first = self.entries.popleft()
            if first > amount + _NOTHING:
                self.entries.appendleft((tick, first - amount))
            amount -= first

    def give_up(self, before: int) -> float:
        """Those that came before this tick have lost their patience."""
        lost = 0.0
        while self.entries and self.entries[0][0] < before:
            lost += self.entries.popleft()[1]
        self.waiting = max(0.0, self.waiting - lost)
        return lost


def simulate(
    steps: Sequence[Step],
    buckets: Mapping[str, Bucket],
    slots: Mapping[str, Slots],
    offered: Iterable[float],
) -> Course:
    """`offered` are new jobs in each tick. The quotas are used up by the run: bring new ones."""
    course = Course()
    queues = [_Queue() for _ in steps]
    for tick, new in enumerate(offered):
        for bucket in buckets.values():
            bucket.refill(TICK)
        queues[0].coming[tick] = queues[0].coming.get(tick, 0.0) + new
        for step, queue in zip(steps, queues, strict=True):
            course.failed += _wait(step, queue, tick)
        passing, short = _passing(steps, queues, buckets, slots)
        for name in short:
            course.short.setdefault(name, tick * TICK)
        for step, queue, passed, following in zip(
            steps, queues, passing, [*queues[1:], None], strict=True
        ):
            _pass(step, queue, passed, buckets, slots)
            if following is not None:
                due = tick + max(1, round(step.seconds / TICK))
                following.coming[due] = following.coming.get(due, 0.0) + passed
        for each in slots.values():
            each.tick()
        course.offered.append(new)
        course.finished.append(passing[-1])
    course.waiting = {step.name: queue.waiting for step, queue in zip(steps, queues, strict=True)}
    course.peaks = {name: each.peak for name, each in slots.items()}
    return course


def _wait(step: Step, queue: _Queue, tick: int) -> float:
    """Let in who has come; how many gave up."""
    queue.arrive(tick)
    return 0.0 if step.patience is None else queue.give_up(tick - round(step.patience / TICK))


def _pass(
    step: Step,
    queue: _Queue,
    passed: float,
    buckets: Mapping[str, Bucket],
    slots: Mapping[str, Slots],
) -> None:
    queue.leave(passed)
    for name, amount in step.tokens.items():
        buckets[name].take(passed * amount)
    for name, seconds in step.holds.items():
        slots[name].hold(passed, seconds)


def _passing(
    steps: Sequence[Step],
    queues: Sequence[_Queue],
    buckets: Mapping[str, Bucket],
    slots: Mapping[str, Slots],
) -> tuple[list[float], set[str]]:
    """How much of what waits may pass each step now, and the quotas that hold the rest up.

    The tightest quota is shared out first; what it holds up no longer asks anything of the others.
    """
    passing = [queue.waiting for queue in queues]
    users: dict[str, list[tuple[int, float]]] = {}
    for number, step in enumerate(steps):
        for name, amount in step.tokens.items():
            users.setdefault(name, []).append((number, amount))
        for name, seconds in step.holds.items():
            users.setdefault(name, []).append((number, min(1.0, seconds / TICK)))
    room = {name: bucket.tokens for name, bucket in buckets.items()}
    room |= {name: each.free for name, each in slots.items()}
    short: set[str] = set()
    while True:
        tightest, least = "", 1.0 - _NOTHING
        for name, asking in users.items():
            wanted = sum(passing[number] * amount for number, amount in asking)
            if wanted > room[name] + _NOTHING and room[name] / wanted < least:
                tightest, least = name, room[name] / wanted
        if not tightest:
            return passing, short
        short.add(tightest)
        for number, amount in users[tightest]:
            if amount:
                passing[number] *= least
