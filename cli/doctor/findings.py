"""What a check found, and the examination that runs them all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from cli.doctor.site import Site


@dataclass(frozen=True, slots=True)
class Scope:
    """How far back to look, and how many jobs and objects at most.

    An object younger than `young` may belong to a job that is storing its files at this moment.
    `progress` is told what is looked at.
    """

    window: timedelta = timedelta(days=7)
    limit: int = 5000
    young: timedelta = timedelta(hours=1)
    progress: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `money` in US dollars is what is at stake, None if none or unknown.

    `cure` puts it right and says what it did; without one a person is needed and `advice` tells how.
    """

    check: str
    subject: str
    what: str
    money: Decimal | None = None
    advice: str = ""
    cure: Callable[[], str] | None = field(default=None, repr=False)


type Check = Callable[[Site, Scope], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Examined:
    """One finding after the examination; `done` says what its cure did, `failed` why it did not."""

    finding: Finding
    done: str | None = None
    failed: str | None = None

    @property
    def open(self) -> bool:
        return self.done is None

    def document(self) -> dict[str, Any]:
        found = self.finding
        return {
            "check": found.check,
            "subject": found.subject,
            "what": found.what,
            "money": None if found.money is None else float(found.money),
            "fixable": found.cure is not None,
            "done": self.done,
            "failed": self.failed,
            "advice": found.advice or None,
        }


def at_stake(examined: list[Examined]) -> Decimal:
    """US dollars of what is still open."""
    return sum((each.finding.money or Decimal(0) for each in examined if each.open), Decimal(0))
