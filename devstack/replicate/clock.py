"""Times as Replicate writes them: UTC, `Z`, and a varying number of fractional digits.

Replicate's create answer carries up to nine digits with trailing zeros cut, finished predictions six
or three; the same field changes its precision between two reads.
"""

import time
from datetime import UTC, datetime

NANOSECONDS = 1_000_000_000


def now() -> int:
    """Nanoseconds since 1970."""
    return time.time_ns()


def rfc3339(at: int, digits: int = 9, *, trim: bool = False) -> str:
    """`at` (nanoseconds since 1970) with `digits` fractional digits; `trim` cuts trailing zeros."""
    seconds, fraction = divmod(at, NANOSECONDS)
    text = f"{fraction:09d}"[:digits]
    if trim:
        text = text.rstrip("0")
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{'.' + text if text else ''}Z"


def parse(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 time. Raises ValueError."""
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * NANOSECONDS + moment.microsecond * 1000


def http_date(at: int) -> str:
    """The form of `Last-Modified` (RFC 9110)."""
    return f"{datetime.fromtimestamp(at // NANOSECONDS, UTC):%a, %d %b %Y %H:%M:%S} GMT"
