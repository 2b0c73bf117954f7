"""What a wait for a job has brought."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Waited:
    """`granted`: there was a place to wait. `body`: the job as clients see it after the wait, None
    without one; `ended`: it has ended."""

    granted: bool
    body: dict[str, Any] | None = None
    ended: bool = False
