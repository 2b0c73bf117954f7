"""Times as people write them: `3h`, `2 days ago`, `yesterday`, a day or an ISO time."""

import re
from datetime import UTC, datetime, timedelta

from cli.client.errors import CommandError, Exit

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# One letter or the word, such as `2d`, `2 days`, `2 days ago`.
_AGO = re.compile(r"(\d{1,6})\s*(s|m|h|d|w|(?:sec|second|min|minute|hour|day|week)s?)(?:\s+ago)?")
_DAYS = {"today": 0, "yesterday": 1}


def moment(option: str, text: str, now: datetime) -> str:
    """The time that an option was given, as ISO with an offset; a day begins at midnight UTC.

    Raises CommandError.
    """
    at = _parse(text.strip().lower(), now)
    if at is None:
        message = f"{option}: {text!r} is no time."
        hint = "Give 3h, 2 days ago, today, yesterday, 2026-03-01 or 2026-03-01T12:00:00Z."
        raise CommandError("InvalidTime", message, Exit.REFUSED, hint)
    return at.isoformat()


def _parse(text: str, now: datetime) -> datetime | None:
    if text == "now":
        return now
    if text in _DAYS:
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=_DAYS[text])
    if found := _AGO.fullmatch(text):
        ago = timedelta(seconds=int(found[1]) * _SECONDS[found[2][0]])
        return now - ago if ago < now - datetime.min.replace(tzinfo=UTC) else None
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
