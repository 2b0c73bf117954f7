"""Waiting for something to happen, for as long as it takes: pytest's own limit ends a test that hangs
and shows where it stands. How fast the machine is, no test may depend on."""

import time
from collections.abc import Callable

# A look takes processor time from what it waits for: it never has more than a part of the time.
_REST = 3


def until[T](look: Callable[[], T], fits: Callable[[T], bool] = bool, pause: float = 0.02) -> T:
    """Look, again and again, until what is seen fits; `pause`: seconds between two looks, at least."""
    while True:
        begun = time.monotonic()
        if fits(seen := look()):
            return seen
        time.sleep(max(pause, _REST * (time.monotonic() - begun)))
