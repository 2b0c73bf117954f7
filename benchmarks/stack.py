"""The local stack for benchmarks: started once a run, with no throttle of its own in the way."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.stack import Stack, vsl

OPTIONS = (
    *("--speed", "0.05"),
    *("--parameter", "RateLimitPerHour=1000000"),
    *("--parameter", "ConcurrentJobs=1000000"),
    *("--parameter", "CreationsPerMinute=100000"),
)


@contextmanager
def running(*options: str) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="vsl-bench-") as folder:
        state = Path(folder)
        try:
            stack = Stack(
                json.loads(vsl("up", "--detach", "--json", *OPTIONS, *options, state=state))
            )
            yield stack
            stack.close()
        finally:
            vsl("down", state=state)
