"""Boxes of pictures (ISO/IEC 14496-12 and 23008-12): HEIF, AVIF, JPEG 2000 and JPEG XL."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

type File = IO[bytes] | io.RawIOBase

_MAX_BOXES = 1000
_MAX_BOX = 4 * 1024**2
"""Bytes of a box that is read: descriptions are small, a larger one is not believed."""
# By quarter turns counterclockwise, without and with a mirror before them: EXIF's orientation.
_ORIENTATIONS = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels as stored; `colours` are primaries and transfer by ITU-T H.273, if they are named."""

    width: int
    height: int
    orientation: int = 1
    colours: tuple[int, int] | None = None


def primary_picture(file: File) -> Picture | None:
    """The one that a HEIF or AVIF file shows."""
    for kind, start, end in boxes(file, 0, None):
        if kind == b"meta":
            return _picture(_content(file, start + 4, end))
    return None


def duration(file: File) -> float | None:
    """Seconds of a sequence of pictures; None when there is none."""
    place: tuple[int, int | None] | None = (0, None)
    # Of the track's content: a sequence that is shown over and over lasts for ever as a film.
    for kind in (b"moov", b"trak", b"mdia", b"mdhd"):
        if place is not None:
            place = next(((s, e) for k, s, e in boxes(file, *place) if k == kind), None)
    if place is None:
        return None
    head = _content(file, *place)
    long = head[:1] == b"\1"
    scale, ticks = struct.unpack(">IQ" if long else ">II", head[20:32] if long else head[12:20])
    return ticks / scale if scale else None


def codestream(file: File) -> int | None:
    """Where that of JPEG 2000 begins."""
    return next((start for kind, start, _ in boxes(file, 0, None) if kind == b"jp2c"), None)


def jxl_codestream(file: File) -> int | None:
    """Where that of JPEG XL begins, in boxes or without."""
    file.seek(0)
    if file.read(2) == b"\xff\x0a":
        return 0
    for kind, start, _ in boxes(file, 0, None):
        if kind in {b"jxlc", b"jxlp"}:  # the latter in parts, which are numbered
            return start if kind == b"jxlc" else start + 4
    return None


def boxes(file: File, start: int, end: int | None) -> Iterator[tuple[bytes, int, int | None]]:
    """Kind, begin and end of the content of each; an end of None is that of the file."""
    for _ in range(_MAX_BOXES):
        if end is not None and start + 8 > end:
            return
        file.seek(start)
        head = file.read(16) or b""
        if len(head) < 8:
            return
        size, header = int.from_bytes(head[:4]), 8
        if size == 1:
            size, header = int.from_bytes(head[8:16]), 16
        after = start + size if size else None
        if after is not None and size < header:
            return
        yield head[4:8], start + header, after
        if after is None:
            return
        start = after


def _content(file: File, start: int, end: int | None) -> bytes:
    file.seek(start)
    return file.read(_MAX_BOX if end is None else min(max(end - start, 0), _MAX_BOX)) or b""


def _picture(meta: bytes) -> Picture | None:
    inner = {kind: (start, end) for kind, start, end in boxes(io.BytesIO(meta), 0, len(meta))}

    def content(kind: bytes) -> bytes:
        start, end = inner.get(kind, (0, 0))
        return meta[start:end]

    about = content(b"pitm")
    primary = int.from_bytes(about[4:6] if about[:1] == b"\0" else about[4:8])
    iprp = content(b"iprp")
    parts = {k: iprp[s:e] for k, s, e in boxes(io.BytesIO(iprp), 0, len(iprp))}
    listed = parts.get(b"ipco", b"")
    properties = [(k, listed[s:e]) for k, s, e in boxes(io.BytesIO(listed), 0, len(listed))]
    linked = _links(parts.get(b"ipma", b"")).get(primary)
    used = (
        properties
        if linked is None
        else [properties[n - 1] for n in linked if 0 < n <= len(properties)]
    )
    sizes = [struct.unpack(">II", body[4:12]) for kind, body in used if kind == b"ispe"]
    if not sizes:
        return None
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    own = dict(used) if linked is not None else {}
    turns = own[b"irot"][0] & 3 if b"irot" in own else 0
    mirror = own[b"imir"][0] & 1 if b"imir" in own else None
    named = own.get(b"colr", b"")
    colours = struct.unpack(">HH", named[4:8]) if named[:4] == b"nclx" else None
    return Picture(width, height, _ORIENTATIONS[turns, mirror], colours)


def _links(ipma: bytes) -> dict[int, list[int]]:
    """Which properties each item has, by their numbers from 1."""
    version, wide = ipma[:1], bool(ipma[3:4] and ipma[3] & 1)
    found: dict[int, list[int]] = {}
    at = 8
    for _ in range(min(int.from_bytes(ipma[4:8]), _MAX_BOXES)):
        item_size = 2 if version == b"\0" else 4
        item, count = int.from_bytes(ipma[at : at + item_size]), ipma[at + item_size]
        at += item_size + 1
        step = 2 if wide else 1
        mask = 0x7FFF if wide else 0x7F
        numbers = [
            int.from_bytes(ipma[at + step * n : at + step * (n + 1)]) & mask for n in range(count)
        ]
        found[item] = numbers
        at += step * count
    return found
