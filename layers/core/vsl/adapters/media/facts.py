"""What could be found out about a media file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import SupportsFloat

MAX_LENGTH = 10_000_000.0
"""Seconds that a file may play."""
_MAX_FAULTS = 10


@dataclass(slots=True)
class Probe:
    """What could be found out; `faults` says why the rest could not.

    `content_type` by the file's streams, pixels as displayed (upright, square), `duration` in seconds
    as a player shows it, `thumbnail` a WebP file.
    """

    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    codec: str | None = None
    thumbnail: bytes | None = None
    faults: tuple[str, ...] = ()

    def note(self, error: Exception) -> None:
        """Each kind of fault once: a damaged file may have thousands."""
        fault = f"{type(error).__name__}: {error}"
        if fault not in self.faults and len(self.faults) < _MAX_FAULTS:
            self.faults += (fault,)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What fails in here is a fault of the file, and the rest is looked at all the same."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile files
            self.note(error)


def measure(value: SupportsFloat | None, limit: float = MAX_LENGTH) -> float | None:
    """A positive, finite number to three decimals, else None: headers may claim anything."""
    number = 0.0 if value is None else float(value)
    rounded = round(number, 3) if 0 < number <= limit else 0.0  # no NaN passes either
    return rounded or None
