"""How long an animated picture plays, once through, without decoding a single frame."""

import io
from collections.abc import Callable
from typing import IO

from vsl.adapters.media.formats import iso_boxes

type File = IO[bytes] | io.RawIOBase

_SHORTEST = 0.011
"""Seconds. Browsers take shorter delays for a mistake, and give such frames a tenth of a second."""
_MISTAKEN = 0.1
_MAX_FRAMES = 1_000_000


def length(file: File, content_type: str, expired: Callable[[], bool]) -> float | None:
    """Seconds; None for a picture that stands still, and for one that ends before its second frame."""
    if content_type == "image/gif":
        return played(_gif_delays(file, expired))
    if content_type == "image/webp":
        return played(_webp_delays(file, expired))
    if content_type in {"image/avif", "image/heic", "image/heif"}:
        return iso_boxes.duration(file)
    return None


def played(delays: list[float]) -> float | None:
    """The sum of the delays of all frames in seconds, as browsers wait for them."""
    if len(delays) < 2:
        return None
    return sum(delay if delay >= _SHORTEST else _MISTAKEN for delay in delays)


def _gif_delays(file: File, expired: Callable[[], bool]) -> list[float]:
    """GIF89a: a control block may precede each picture; both are followed by blocks of data."""
    reader = _Buffered(file)
    head = reader.take(13)
    delays: list[float] = []
    if len(head) < 13:
        return delays
    reader.skip(_palette(head[10]))
    delay = 0.0
    while len(delays) < _MAX_FRAMES and not expired():
        kind = reader.take(1)
        if kind == b"!":
            control = reader.take(1) == b"\xf9"
            first = reader.block()
            if control and len(first) >= 4:
                delay = int.from_bytes(first[1:3], "little") / 100
            while first:
                first = reader.block()
        elif kind == b",":
            place = reader.take(9)
            if len(place) < 9:
                break
            reader.skip(_palette(place[8]) + 1)
            if not reader.block():
                break
            while reader.block():
                pass
            delays.append(delay)
            delay = 0.0
        else:
            break
    return delays


def _palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp_delays(file: File, expired: Callable[[], bool]) -> list[float]:
    """The frames of an animation are chunks of their own, each of which says how long it stays."""
    size = file.seek(0, io.SEEK_END)
    at = 12
    delays: list[float] = []
    while at + 8 <= size and len(delays) < _MAX_FRAMES and not expired():
        file.seek(at)
        head = file.read(24) or b""
        if head[:4] == b"ANMF" and len(head) == 24:
            delays.append(int.from_bytes(head[20:23], "little") / 1000)
        length = int.from_bytes(head[4:8], "little")
        at += 8 + length + length % 2
    return delays


class _Buffered:
    """Many small reads of a file that answers large ones better."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._file.seek(0)
        self._ahead = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """Fewer bytes only where the file ends."""
        if self._at + size > len(self._ahead):
            self._ahead = self._ahead[self._at :] + (self._file.read(max(size, 65_536)) or b"")
            self._at = 0
        taken = self._ahead[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def skip(self, size: int) -> None:
        self.take(size)

    def block(self) -> bytes:
        """A block of GIF: its length in a byte, then so many; empty at the end of a row of them."""
        size = self.take(1)
        return self.take(size[0]) if size else b""
