"""Rate limits: a bucket that refills steadily, told in `ratelimit-*` headers.

https://replicate.com/docs/topics/predictions/rate-limits
"""

import math
import time

from devstack.replicate.problems import throttled


class RateLimit:
    """`rate` requests a minute, `burst` at once (all of them unless told)."""

    def __init__(self, rate: int, burst: int | None = None) -> None:
        self._rate = rate
        self._burst = burst
        self._capacity = float(burst or rate)
        self.refill()

    def refill(self) -> None:
        self._tokens = self._capacity
        self._at = time.monotonic()

    def take(self) -> dict[str, str]:
        """Count a request; the headers of its answer. Raises Problem 429."""
        at, per_second = time.monotonic(), self._rate / 60
        self._tokens = min(self._capacity, self._tokens + (at - self._at) * per_second)
        self._at = at
        if self._tokens < 1:
            wait = max(1, math.ceil((1 - self._tokens) / per_second))
            raise throttled(wait, rate=self._rate, burst=self._burst)
        self._tokens -= 1
        reset = math.ceil((self._capacity - self._tokens) / per_second)
        return {"ratelimit-remaining": str(int(self._tokens)), "ratelimit-reset": str(reset)}
