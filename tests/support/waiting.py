"""Waiting for something to happen, for as long as it takes: pytest's own limit ends a test that hangs
and shows where it stands. How fast the machine is, no test may depend on."""

import time
from collections.abc import Callable


def until[T](look: Callable[[], T], fits: Callable[[T], bool] = bool, pause: float = 0.02) -> T:
    """Look, again and again, until what is seen fits."""
    while not fits(seen := look()):
        time.sleep(pause)
    return seen
