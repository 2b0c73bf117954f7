"""A client that waits keeps a function running: the number of waits is limited, and each user's as well.

Without a place the answer is immediate: the job as it stands, and when to ask again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from vsl.services.ports.limits import WaitPlaces
from vsl.services.ports.system import Clock

# What a function may take beside the wait itself.
_SLACK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class HoldWaitPlace:
    places: WaitPlaces
    clock: Clock

    @contextmanager
    def __call__(self, user_id: str, wait_id: str, seconds: float) -> Iterator[bool]:
        """Whether there is a place to wait for so long, held until the end; no wait needs none."""
        if seconds <= 0:
            yield True
            return
        now = self.clock.now()
        taken = self.places.take(user_id, wait_id, now, now + timedelta(seconds=seconds) + _SLACK)
        try:
            yield taken
        finally:
            if taken:
                self.places.give_back(user_id, wait_id)
