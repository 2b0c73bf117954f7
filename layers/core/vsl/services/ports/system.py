"""The clock and the metrics."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, UTC, timezone-aware."""
        ...


class Metrics(Protocol):
    def count(self, name: str, /, **dimensions: str) -> None: ...

    def seconds(self, name: str, value: float, /, **dimensions: str) -> None: ...

    def record(self, values: Mapping[str, float], /, **dimensions: str) -> None:
        """Several values of one moment, by name."""
        ...
