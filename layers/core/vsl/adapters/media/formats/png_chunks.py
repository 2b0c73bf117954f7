"""What a PNG needs to be shown, picked out of all that programs write into one.

Workflows of several megabytes as text, profiles, broken notes: Pillow reads every chunk and refuses
the picture over any of them. Here the chunks are listed without being read, and Pillow is given those
alone that make the picture.
"""

import io
import zlib
from bisect import bisect_right
from collections.abc import Buffer, Callable
from dataclasses import dataclass, field
from typing import IO

type File = IO[bytes] | io.RawIOBase

MAX_PROFILE = 4 * 1024**2
_MAX_CHUNKS = 1_000_000
_MAX_NOTE = 1024**2  # bytes of an ancillary chunk that is read at all
_SIGNATURE = 8
_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_NOTES = frozenset({b"eXIf", b"iCCP", b"cICP", b"fcTL"})


@dataclass(slots=True)
class Png:
    """`frames`: the delay of each in seconds, of an animated one."""

    picture: "Splice"
    exif: bytes | None = None
    profile: bytes | None = None
    colours: tuple[int, int] | None = None
    frames: list[float] = field(default_factory=list)


def read_png(file: File, expired: Callable[[], bool] = lambda: False) -> Png:
    """As far as the file goes, and until `expired`."""
    length = file.seek(0, io.SEEK_END)
    pieces = [(0, _SIGNATURE)]
    png = Png(Splice(file, pieces))
    at = _SIGNATURE
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(8) or b""
        if len(head) < 8 or expired():
            break
        size, kind = int.from_bytes(head[:4]), head[4:]
        end = at + 12 + size
        if kind in _PICTURE:
            _append(pieces, at, min(end, length))
        elif kind in _NOTES and size <= _MAX_NOTE + MAX_PROFILE:
            body = file.read(size + 4) or b""
            if len(body) == size + 4 and zlib.crc32(kind + body[:-4]) == int.from_bytes(body[-4:]):
                _note(png, kind, body[:-4])
        at = end
        if kind == b"IEND" or at >= length:
            break
    png.picture = Splice(file, pieces)
    return png


def _append(pieces: list[tuple[int, int]], start: int, end: int) -> None:
    if pieces[-1][1] == start:
        pieces[-1] = pieces[-1][0], end
    else:
        pieces.append((start, end))


def _note(png: Png, kind: bytes, body: bytes) -> None:
    if kind == b"eXIf":
        png.exif = body
    elif kind == b"cICP" and len(body) == 4:
        png.colours = body[0], body[1]
    elif kind == b"fcTL" and len(body) == 26:
        delay, unit = int.from_bytes(body[20:22]), int.from_bytes(body[22:24])
        png.frames.append(delay / (unit or 100))
    elif kind == b"iCCP":
        packed = body.partition(b"\0")[2][1:]
        inflater = zlib.decompressobj()
        try:
            profile = inflater.decompress(packed, MAX_PROFILE)
        except zlib.error:
            return
        png.profile = profile if inflater.eof else None


class Splice(io.RawIOBase):
    """Pieces of a file, each from a begin to an end, as a file of their own."""

    def __init__(self, file: File, pieces: list[tuple[int, int]]) -> None:
        super().__init__()
        self._file = file
        self._pieces = []
        self._size = 0
        for start, end in pieces:
            self._pieces.append((self._size, start, end - start))
            self._size += end - start
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        """Fills the buffer completely unless the file ends."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._position < self._size:
            begin, start, length = self._pieces[self._place()]
            within = self._position - begin
            self._file.seek(start + within)
            piece = self._file.read(min(len(view) - filled, length - within))
            if not piece:
                break
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._position += len(piece)
        return filled

    def _place(self) -> int:
        return bisect_right(self._pieces, self._position, key=lambda piece: piece[0]) - 1
