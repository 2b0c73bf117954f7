"""A job to which a given sequence of events happens, and what is known of it afterwards.

Each event may come any number of times. What the provider posts is kept back and posted when the
sequence says so; the answer to the submission and the token's registration are held until theirs.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fault.harness.replicate import Script
from tests.fault.harness.virtual_time import Event, Fiber
from tests.fault.harness.world import Scenario, World

ANSWER, START, FINISH, END, TOKEN, POLL, CANCEL, TIMEOUT = EVENTS = (
    "create answer",
    "start webhook",
    "prediction ends",
    "terminal webhook",
    "token registration",
    "poll",
    "cancel",
    "timeout",
)
# What no job goes without; a sequence that lacks one of them is continued by it.
_NEEDED = (ANSWER, TOKEN, FINISH, END)
_REPEATED = {"submit_prediction", "await_prediction", "resolve_timeout"}
FIRST_SLOT = 12.0
# Long enough for everything that an event sets off, the repair included.
SLOT = 2.0
# Beyond it lie only limits that no sequence of this length reaches.
NEAR = 25.0
# Of the live item: moments, durations and the notes that are only ever shown.
_NOTES = {
    "at", "updatedAt", "nextCheckAt", "checkCount", "events", "webhooks", "source", "predictTime",
    "totalTime", "logs", "intent",
}  # fmt: skip
# Of these only whether they are there.
_MARKS = {"intentAt", "cancelRequestedAt", "completedAt", "result", "search"}


@dataclass(frozen=True, slots=True)
class Reached:
    """`state` is all that what follows can hang on; `open` are the events that may come next.

    A job waits, and its wait runs out, only after the answer to its submission; the provider tells
    of an end only after it.
    """

    state: str
    open: tuple[str, ...]


class SequenceWorld(World):
    def __init__(self, sequence: tuple[str, ...]) -> None:
        self.given = len(sequence)
        self.sequence = sequence + tuple(name for name in _NEEDED if name not in sequence)
        at = {name: self._slot(self.sequence.index(name)) for name in self.sequence}
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.payloads: dict[str, Any] = {}
        self.reached: Reached | None = None
        self._events: list[Event] = []
        super().__init__(
            Scenario(
                ", ".join(sequence),
                Script(starts_after=0.05, runs_for=10_000),
                holds=(
                    ("after replicate.create", at[ANSWER]),
                    ("before await_prediction", at[TOKEN]),
                ),
                wait_ends_at=at.get(TIMEOUT),
                may_time_out=TIMEOUT in at,
                ends=frozenset({"succeeded", "canceled", "failed"}),
            )
        )

    @property
    def last(self) -> float:
        return self._slot(len(self.sequence) - 1)

    def run(self) -> "SequenceWorld":
        acts = self._acts()
        for place, event in enumerate(self.sequence):
            first = event not in self.sequence[:place]
            self._events.append(self.scheduler.at(self._slot(place), acts[event](first)))
        self.scheduler.at(self._slot(self.given) - 0.01, self._look)
        super().run()
        return self

    @staticmethod
    def _slot(place: int) -> float:
        return FIRST_SLOT + SLOT * place

    def _acts(self) -> Mapping[str, Callable[[bool], Callable[[], Any]]]:
        """What each event does, the first time and later. What is held comes by itself first."""

        def again(function: str) -> Callable[[bool], Callable[[], Any]]:
            return lambda first: lambda: None if first else self._again(function)

        return {
            ANSWER: again("submit_prediction"),
            TOKEN: again("await_prediction"),
            TIMEOUT: again("resolve_timeout"),
            START: lambda _: lambda: self._post("start"),
            END: lambda _: lambda: self._post("completed"),
            FINISH: lambda _: self._finish,
            POLL: lambda _: self._poll_now,
            CANCEL: lambda _: self.cancel,
        }

    def _again(self, function: str) -> None:
        if function in self.payloads:
            super().invoke(function, self.payloads[function])

    def invoke(self, name: str, event: Any) -> Fiber:
        self.payloads[name] = event
        return super().invoke(name, event)

    def _post(self, kind: str) -> None:
        if kind in self.webhooks:
            super()._deliver(self.webhooks[kind], lambda _status: None)

    def _deliver(self, event: dict[str, Any], answered: Callable[[int], None]) -> None:
        self.webhooks[event["headers"]["Webhook-Id"].rpartition("_")[2]] = event

    def _finish(self) -> None:
        for entry in self.replicate.books.values():
            if not entry.prediction.status.terminal:
                self.replicate.finish(entry)

    def _poll_now(self) -> None:
        """A run of the poller that really looks at the job, if it is in its sight."""
        self.effects.off = True
        self.tracking.reschedule(self.job.job_id, self.scheduler.moment())
        self.effects.off = False
        self.poll()

    def _look(self) -> None:
        before = self.sequence[: self.given]
        answered, over = ANSWER in before, "completed" in self.webhooks
        closed = {
            TOKEN: not answered,
            TIMEOUT: not answered,
            END: not over,
            FINISH: over,
        }
        known = {
            "item": _telling(self.dynamodb.items),
            "provider": [entry.prediction.status for entry in self.replicate.books.values()],
            "tokens": [
                (token.closed, token.output is not None, token.failure)
                for token in self.tokens.tokens.values()
            ],
            "execution": (self.execution.status, self.execution.entered[-1:]),
            "running": sorted(fiber.name for fiber in self.scheduler.fibers if not fiber.done),
            "soon": self.scheduler.soon(NEAR, aside=self._events),
            "redis": self.redis.keys(),
            "announced": (bool(self.published.messages), bool(self.published.events)),
            "recorded": [row.end and row.end.status for row in self.books.rows.values()],
            "seen": sorted(_REPEATED & self.payloads.keys()),
            "held": [name for name in (ANSWER, TOKEN, TIMEOUT) if name in before],
            "webhooks": sorted(self.webhooks),
        }
        self.reached = Reached(
            json.dumps(known, default=str),
            tuple(event for event in EVENTS if not closed.get(event, False)),
        )


def _telling(value: Any) -> Any:
    """Without what two runs at other times differ in, by which nothing is decided so early."""
    if isinstance(value, Mapping):
        return {
            name: name in _MARKS or _telling(inner)
            for name, inner in sorted(value.items())
            if name not in _NOTES
        }
    return [_telling(inner) for inner in value] if isinstance(value, list) else value
