"""The real clock, and how moments are written for stores."""

from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def epoch_ms(at: datetime) -> int:
    """Whole milliseconds since 1970, to the nearest."""
    return round(at.timestamp() * 1000)
