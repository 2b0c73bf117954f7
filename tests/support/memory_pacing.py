"""The scripts of vsl.adapters.redis.slot_scripts in memory; a property test compares the two."""

import math
from collections.abc import Sequence
from typing import Any

from vsl.adapters.redis import slot_scripts
from vsl.adapters.redis.client import digest

# By the hash under which a server keeps them.
SCRIPTS = {
    digest(source): source
    for source in (
        slot_scripts.ASK,
        slot_scripts.NEXT,
        slot_scripts.MARK,
        slot_scripts.GIVE_BACK,
        slot_scripts.SPEND,
        slot_scripts.THROTTLED,
        slot_scripts.LOOK,
        slot_scripts.OUTLOOK,
    )
}


class MemoryPacing:
    """Times in milliseconds, as the scripts have them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.tat = self.v = self.beat = 0.0
        self.blocked = self.slow = 0.0
        self.since = 0
        self.marked = False
        self.busy: float | None = None
        self.at: float | None = None
        self.served = self.passed = 0.0
        self.queue: dict[str, float] = {}
        self.flows: dict[str, float] = {}
        self.grants: dict[str, float] = {}
        self.tags: dict[str, float] = {}

    def evaluate(self, script: str, args: Sequence[Any]) -> Any:
        now, per_minute, burst, *rest = args
        turn = _Turn(self, float(now), 60_000 / per_minute, burst)
        run: Any = {
            slot_scripts.ASK: turn.ask,
            slot_scripts.NEXT: turn.next,
            slot_scripts.MARK: turn.mark,
            slot_scripts.GIVE_BACK: turn.give_back,
            slot_scripts.SPEND: turn.spend,
            slot_scripts.THROTTLED: turn.throttled,
            slot_scripts.LOOK: turn.look,
            slot_scripts.OUTLOOK: turn.outlook,
        }[script]
        return run(*rest)

    def first(self) -> str:
        return min(self.queue, key=lambda job: (self.queue[job], job))


class _Turn:
    """One call of a script at a moment."""

    def __init__(self, kept: MemoryPacing, now: float, interval: float, burst: int) -> None:
        self.kept, self.now, self.interval, self.burst = kept, now, interval, burst
        if kept.slow:
            whole = 1000 * math.log2(max(kept.slow / interval, 1))
            if now - kept.blocked >= whole:
                kept.slow = kept.blocked = 0.0
                kept.since = 0
                kept.tat = max(kept.tat, now)

    def due(self) -> float:
        kept = self.kept
        if not kept.slow:
            return max(kept.tat - (self.burst - 1) * self.interval - self.now, 0.0)
        after = 1000 * math.log2(1 + kept.since * math.log(2) * kept.slow / 1000)
        return max(kept.blocked + after - self.now, 0.0)

    def grant(self) -> None:
        self.kept.tat = max(self.kept.tat, self.now) + self.interval
        if self.kept.slow:
            self.kept.since += 1

    def wait_of(self, rank: int) -> int:
        return math.floor(self.due() + rank * max(self.interval, self.kept.slow))

    def moved(self, out: int, ahead: int) -> None:
        kept = self.kept
        busy, served, passed = self.moves()
        kept.busy, kept.at = busy, self.now
        kept.served, kept.passed = max(served + out, 0.0), passed + ahead

    def moves(self) -> tuple[float, float, float]:
        kept = self.kept
        fading = math.exp(((self.now if kept.at is None else kept.at) - self.now) / 60_000)
        busy = self.now if kept.busy is None else kept.busy
        return busy, kept.served * fading, kept.passed * fading

    def estimate(self, rank: int) -> list[int]:
        kept, interval = self.kept, self.interval
        busy, served, passed = self.moves()
        pace = max(interval, kept.slow)
        seen = 60_000 * (1 - math.exp((busy - self.now) / 60_000))
        observed = 2 * pace
        if seen < 10_000:
            observed = pace
        elif served - passed > 0:
            observed = min(max(seen / (served - passed), pace), observed)
        wait = self.due() + rank * pace
        full = self.due()
        if kept.slow:
            ramp = 1000 * math.log2(max(kept.slow / interval, 1))
            full = max(kept.blocked + ramp - self.now, 0)
        earliest = min(wait, full + 0.95 * rank * interval)
        latest = self.due() + min(1.25 * observed, 2 * pace) * rank + 1000
        return [math.floor(wait), math.floor(earliest), math.ceil(latest)]

    def rank(self, job: str) -> int | None:
        queue = self.kept.queue
        if job not in queue:
            return None
        return sorted(queue, key=lambda it: (queue[it], it)).index(job)

    def ask(self, job: str, flow: str, cost: float, kept_ms: int, appears: int) -> list[int]:
        kept = self.kept
        kept.grants = {it: until for it, until in kept.grants.items() if until > self.now}
        if job in kept.grants:
            return [1, 0, 0, 0]
        if not kept.queue and self.due() == 0:
            self.grant()
            kept.grants[job] = self.now + kept_ms
            return [1, 0, 0, 0]
        if job not in kept.queue:
            if not kept.queue:
                kept.flows.clear()
                kept.tags.clear()
                kept.busy, kept.at, kept.served, kept.passed = self.now, self.now, 0.0, 0.0
            depth, start = len(kept.queue), kept.tags.get(job)
            fresh = start is None
            if start is None:
                start = max(kept.v, kept.flows.get(flow, 0.0))
                kept.flows[flow] = start + cost
            kept.queue[job] = start
            place = self.rank(job)
            assert place is not None
            self.moved(0, int(fresh and place < depth))
        rank = self.rank(job)
        assert rank is not None
        unwatched = kept.beat < self.now
        if unwatched and appears:
            kept.beat = self.now + appears
        return [0, rank + 1, self.wait_of(rank), int(unwatched)]

    def next(self, kept_ms: int, beat: int, at_once: int) -> list[Any]:
        kept = self.kept
        kept.beat = beat
        jobs: list[Any] = []
        due_in = 0
        while len(jobs) < at_once:
            if not kept.queue:
                kept.beat = 0.0
                due_in = -1
                break
            if self.due() > 0:
                due_in = math.ceil(self.due())
                break
            job = kept.first()
            tag = kept.queue.pop(job)
            kept.v = max(kept.v, tag)
            self.grant()
            kept.tags[job] = tag
            kept.grants[job] = self.now + kept_ms
            jobs.append(job)
        if jobs:
            self.moved(len(jobs), 0)
        return [due_in, len(kept.queue), int(kept.marked), *jobs]

    def mark(self) -> int:
        fresh, self.kept.marked = not self.kept.marked, True
        return int(fresh)

    def give_back(self, job: str) -> int:
        kept = self.kept
        kept.queue.pop(job, None)
        kept.tags.pop(job, None)
        if kept.grants.pop(job, None) is not None:
            kept.tat -= self.interval
            kept.since = max(kept.since - 1, 0)
        return 1

    def spend(self, job: str) -> int:
        return int(self.kept.grants.pop(job, None) is not None)

    def throttled(self, job: str, wait: int) -> int:
        kept = self.kept
        kept.grants.pop(job, None)
        if job in kept.tags:
            self.moved(-1, 0)
        kept.tags.setdefault(job, kept.v)
        if self.now + wait > kept.blocked:
            kept.blocked, kept.slow, kept.since = self.now + wait, float(wait), 0
        return 1

    def look(self, *jobs: str) -> list[int]:
        answer = []
        for job in jobs:
            rank = self.rank(job)
            answer += [0 if rank is None else rank + 1, *self.estimate(rank or 0)]
        return answer

    def outlook(self, flow: str) -> list[int]:
        kept, depth = self.kept, len(self.kept.queue)
        if not depth and self.due() == 0:
            return [0, 0, 0, 0, 0, 0]
        start = max(kept.v, kept.flows.get(flow, 0.0)) if depth else kept.v
        rank = sum(tag <= start for tag in kept.queue.values())
        return [depth, math.floor((start - kept.v) * 1000), rank + 1, *self.estimate(rank)]
