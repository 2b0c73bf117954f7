"""A function of which one run at a time does the work, and hands what is left to the next run."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from vsl.domain.errors import StoreUnavailable
from vsl.runtime import wiring
from vsl.runtime.handler import Context, Event

# Time to finish what is in hand before Lambda's own time limit.
RESERVE = timedelta(seconds=15)
# What a run that may last long holds its lease for: when it dies, another may begin so soon.
RENEWED_LEASE = timedelta(seconds=30)
# Lambda ends a function that has called itself some sixteen times in a row.
MOST_RUNS = 12


class Lease(Protocol):
    def take(self, holder: str, lasts: timedelta) -> bool: ...

    def give_back(self, holder: str) -> None: ...


def run_alone[Result](
    lease: Lease,
    context: Context,
    work: Callable[[datetime, Callable[[], bool]], Result],
    *,
    lasts: timedelta | None = None,
) -> Result | None:
    """What `work` comes to; None while another run holds the lease. `work` is told when to stop, and how to
    renew the lease.

    The lease lasts as long as Lambda lets the run live, or for `lasts`: then `work` should renew it every few
    seconds, and is told False when another run holds it by now.
    """
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())

    def take() -> bool:
        return lease.take(context.aws_request_id, lasts or remaining)

    if not take():
        return None
    try:
        return work(wiring.clock.now() + remaining - RESERVE, take)
    finally:
        with suppress(StoreUnavailable):  # it ends by itself
            lease.give_back(context.aws_request_id)


def next_run(event: Event) -> Event | None:
    """The event of the run that follows this one; None after so many in a row."""
    runs = int(event.get("runs", 0)) + 1
    return {"runs": runs} if runs < MOST_RUNS else None
