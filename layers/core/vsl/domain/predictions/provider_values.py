"""Values that come from the provider, made fit for every store and every reader.

PostgreSQL holds no NUL and checks that measurements are not negative, DynamoDB holds no number
beyond 1e126 and no half of a surrogate pair, and a terminal obeys control characters. A value that
no clock or model could have meant becomes None: it must never stop the end of a job.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

# The provider ends a prediction a day after its creation at the latest (Cancel-After).
MOST_SECONDS = 2 * 86_400
# JSON allows numbers of any length; Python reads no more than 4,300 digits and no store so many.
_MOST_DIGITS = 300
_YEARS = range(2000, 2100)

_ANSI_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_json(content: bytes) -> Any:
    """The value, also of bytes that are no valid UTF-8. Raises ValueError for what is not JSON."""
    text = content.decode(json.detect_encoding(content), "replace")
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deep") from None


def clean_text(text: str) -> str:
    """The text without control characters other than tab and line feed; halves of surrogate pairs
    become U+FFFD."""
    if text.isprintable():
        return text
    text = _ANSI_SEQUENCE.sub("", text).replace("\r\n", "\n")
    return _CONTROL.sub("", _SURROGATE.sub("\ufffd", text))


def text_of(value: object) -> str | None:
    """Text as it is, anything else that says something as JSON; None for null, false and empty."""
    if value in (None, False, "", [], {}):
        return None
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False)
        except (ValueError, TypeError, RecursionError):
            return "The provider's text is unreadable."
    return clean_text(value) or None


def seconds_of(value: object) -> float | None:
    """A length of time that was measured; None for anything else, negative and absurd ones included."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    # Nanoseconds are as fine as the provider's own times; abs() is for -0.0.
    return round(abs(seconds), 9) if 0 <= seconds <= MOST_SECONDS else None


def time_of(value: object) -> datetime | None:
    """A moment, in UTC; without an offset it is taken for UTC, which all of the provider's are."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    if at.year not in _YEARS:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def texts_in(value: object) -> Iterator[str]:
    """Every text in a JSON value, in its order, however deep it is nested."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, Mapping):
            waiting += reversed(list(found.values()))
        elif isinstance(found, list | tuple):
            waiting += reversed(found)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf
