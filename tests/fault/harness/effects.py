"""Every touch of the outside is an effect with a number; a plan says which one goes wrong, and how.

The list of effects is what a run without faults did: nothing here knows the product's steps.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from tests.fault.harness.virtual_time import Scheduler

LATENCY = 0.02
LONG_DELAY = 90.0
# After which an adapter gives an answer up.
RETRIED_AFTER = 3.0


class Fault(StrEnum):
    CRASH_BEFORE = "crash-before"
    CRASH_AFTER = "crash-after"
    ERROR_BEFORE = "error-before"
    ERROR_AFTER = "error-after"
    DUPLICATE = "duplicate"
    DELAY_BEFORE = "delay-before"
    DELAY_AFTER = "delay-after"
    HANG = "hang"
    LOST = "lost"
    """Nothing was accepted, and nobody knows: only of a submission."""
    RETRIED = "retried"
    """The answer is lost, and the adapter itself sends the request again: only of DynamoDB, where the
    first one may be what refuses the second."""


class LambdaDiedError(BaseException):
    """The process is gone: nothing of it can catch this."""


class LambdaTimedOutError(BaseException):
    """Lambda has stopped the process at its time limit."""


@dataclass(frozen=True, slots=True)
class Effect:
    """`actor` is the function that did it; `at` in virtual seconds."""

    number: int
    store: str
    operation: str
    actor: str
    at: float

    @property
    def submission(self) -> bool:
        return (self.store, self.operation) == ("replicate", "create")

    def faults(self) -> list[Fault]:
        """What can go wrong with it."""
        retried = self.store == "dynamodb"
        never = {Fault.DUPLICATE if retried else Fault.RETRIED}
        if not self.submission:
            never.add(Fault.LOST)
        return [fault for fault in Fault if fault not in never]

    def __str__(self) -> str:
        return f"#{self.number} {self.actor}: {self.store}.{self.operation}"


type Failure = Callable[[bool], Exception]


class Effects:
    """Numbers what happens and injects the plan; `off` while the harness itself looks around."""

    def __init__(self, scheduler: Scheduler, plan: Mapping[int, Fault]) -> None:
        self.scheduler = scheduler
        self.plan = plan
        self.done: list[Effect] = []
        self.injected: list[tuple[Effect, Fault]] = []
        self.off = False
        self.delays = 0.0
        self.holds: dict[str, float] = {}
        self.outages: Mapping[str, tuple[float, float]] = {}

    def next(self, store: str, operation: str) -> Fault | None:
        """Number one effect; the fault planned for it, if there is one."""
        fiber = self.scheduler.current
        actor = fiber.name if fiber else "nobody"
        effect = Effect(len(self.done), store, operation, actor, self.scheduler.now)
        self.done.append(effect)
        fault = self.plan.get(effect.number)
        if fault:
            self.injected.append((effect, fault))
        return fault

    def run[Answer](
        self, store: str, operation: str, act: Callable[[], Answer], failure: Failure
    ) -> Answer:
        """Do it, or what the plan makes of it. `failure(after)` is how the store says it failed."""
        if self.off:
            return act()
        fault = self.next(store, operation)
        actor = self.done[-1].actor
        self.pass_time(max(LATENCY, self.holds.get(f"before {actor}", 0) - self.scheduler.now))
        self._on_the_way_there(fault, failure)
        away, back = self.outages.get(store, (0.0, 0.0))
        if away <= self.scheduler.now < back:
            raise failure(False)
        if fault is Fault.RETRIED:
            with suppress(Exception):  # a refusal is an answer, too, and lost with it
                act()
            self.delays += RETRIED_AFTER
            self.pass_time(RETRIED_AFTER)
        answer = act()
        if fault is Fault.DUPLICATE:
            answer = act()
        held = self.holds.get(f"after {store}.{operation}", 0)
        self.pass_time(max(LATENCY, held - self.scheduler.now))
        self._on_the_way_back(fault, failure)
        return answer

    def _on_the_way_there(self, fault: Fault | None, failure: Failure) -> None:
        if fault is Fault.CRASH_BEFORE:
            raise LambdaDiedError
        if fault is Fault.ERROR_BEFORE:
            raise failure(False)
        if fault is Fault.LOST:
            raise failure(True)
        if fault is Fault.DELAY_BEFORE:
            self.delay()
        if fault is Fault.HANG:
            self.hang()

    def _on_the_way_back(self, fault: Fault | None, failure: Failure) -> None:
        if fault is Fault.CRASH_AFTER:
            raise LambdaDiedError
        if fault is Fault.ERROR_AFTER:
            raise failure(True)
        if fault is Fault.DELAY_AFTER:
            self.delay()

    def pass_time(self, seconds: float) -> None:
        """Time passes for whoever asks; a Lambda function dies at its limit."""
        fiber = self.scheduler.current
        limit = fiber.limit if fiber else None
        if limit is None or self.scheduler.now + seconds < limit:
            self.scheduler.sleep(seconds)
            return
        self.scheduler.sleep(max(0.0, limit - self.scheduler.now))
        raise LambdaTimedOutError

    def hang(self) -> None:
        """No answer ever comes: Lambda ends the function at its limit."""
        fiber = self.scheduler.current
        limit = fiber.limit if fiber else None
        assert limit is not None
        self.delays += limit - self.scheduler.now
        self.pass_time(limit - self.scheduler.now)

    def delay(self) -> None:
        """As long as it may be without dying of it."""
        fiber = self.scheduler.current
        limit = fiber.limit if fiber else None
        left = LONG_DELAY if limit is None else limit - self.scheduler.now - 1.0
        seconds = max(0.0, min(LONG_DELAY, left))
        self.delays += seconds
        self.pass_time(seconds)

    def by_store(self) -> Counter[str]:
        return Counter(effect.store for effect in self.done)
