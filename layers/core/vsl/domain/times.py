"""How a moment is written for others to read."""

from datetime import UTC, datetime


def iso(at: datetime) -> str:
    """UTC, milliseconds, `Z`: the one way."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
