"""When two equal requests are one: what a client or its key says of repetitions.

Without either, equal requests are two jobs: a repetition cannot be told from a second request.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RETRY_HEADER = "x-stainless-retry-count"
"""Sent by clients that Stainless generates (OpenAI's and others'): how often they sent the request before."""

RETRY_SECONDS = 600
"""How old a request may be that a marked retry repeats: its client has given up long before."""

MAX_WINDOW_SECONDS = 86_400
_MAX_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Repetition:
    """`retry` is None for a client that does not mark its retries; `key_id` is the caller's key, empty for
    none, `window` for how many seconds that key takes equal requests for one, 0 for never."""

    retry: int | None = None
    key_id: str = ""
    window: int = 0

    @property
    def told(self) -> bool:
        """Whether requests of this client are remembered."""
        return self.retry is not None or self.window > 0

    @property
    def joins(self) -> int:
        """How many seconds old an equal request may be whose job this one joins."""
        return max(RETRY_SECONDS if self.retry else 0, self.window)

    @property
    def kept(self) -> int:
        """For how many seconds the request is remembered."""
        return max(RETRY_SECONDS if self.retry is not None else 0, self.window)

    @classmethod
    def read(cls, retry: object, key_id: object, window: object) -> "Repetition":
        """What cannot be read counts as not said: it is no demand."""
        seconds = _number(window) or 0
        return cls(_number(retry), str(key_id or ""), min(seconds, MAX_WINDOW_SECONDS))


def digest_of(user_id: str, key_id: str, body: Mapping[str, Any]) -> str:
    """The same for equal bodies of one user by one key, in whatever order their members stand."""
    text = json.dumps([user_id, key_id, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _number(value: object) -> int | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
