"""The size of a picture by its header alone: known also where its pixels are not decoded.

That is: too many of them, damaged or cut off, or no decoder for the format. The numbers are what the
file claims, within what each format can say.
"""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from vsl.adapters.media.formats import iso_boxes

SIDEWAYS = frozenset({5, 6, 7, 8})  # EXIF orientations that lie on their side

type File = IO[bytes] | io.RawIOBase

_MAX_MARKERS = 2000
_MAX_TAGS = 2000
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """As stored; `orientation` is EXIF's number for how to turn it, where the header holds it.

    `reductions`: how often JPEG 2000 can halve the picture while decoding it.
    """

    width: int
    height: int
    orientation: int = 1
    reductions: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """As shown."""
        return upright((self.width, self.height), self.orientation)


def upright(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    return (size[1], size[0]) if orientation in SIDEWAYS else size


def read_header(file: File, content_type: str) -> Header | None:
    """None when the header makes no sense; raises what reading raises."""
    file.seek(0)
    reader = _READERS.get(content_type)
    try:
        header = reader(file) if reader else None
    except (struct.error, IndexError):
        return None  # it ends within
    return header if header and header.width > 0 and header.height > 0 else None


def exif_orientation(exif: bytes) -> int:
    """1, which is upright, for what makes no sense. EXIF is a TIFF without a picture."""
    try:
        header = _tiff(io.BytesIO(exif.removeprefix(b"Exif\0\0")))
    except (struct.error, IndexError, OverflowError, ValueError):
        return 1
    return header.orientation if 1 <= header.orientation <= 8 else 1


def _take(file: File, size: int) -> bytes:
    return file.read(size) or b""


def _png(file: File) -> Header:
    return Header(*struct.unpack(">II", _take(file, 24)[16:24]))


def _gif(file: File) -> Header:
    return Header(*struct.unpack("<HH", _take(file, 10)[6:10]))


def _bmp(file: File) -> Header:
    head = _take(file, 26)
    if int.from_bytes(head[14:18], "little") == 12:
        return Header(*struct.unpack("<HH", head[18:22]))
    width, height = struct.unpack("<ii", head[18:26])
    return Header(width, abs(height))  # negative: from top to bottom


def _webp(file: File) -> Header | None:
    head = _take(file, 30)
    kind = head[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        return Header(width + 1, height + 1)
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        return Header((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return Header(width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(file: File) -> Header | None:
    """The first start of a frame; what stands before it is skipped, sense or not."""
    file.seek(2)
    for _ in range(_MAX_MARKERS):
        byte = _take(file, 1)
        while byte and byte != b"\xff":
            byte = _take(file, 1)
        while byte == b"\xff":
            byte = _take(file, 1)
        if not byte or byte == b"\xda":  # the pixels begin
            return None
        if byte[0] in _START_OF_FRAME:
            height, width = struct.unpack(">HH", _take(file, 7)[3:7])
            return Header(width, height)
        if byte[0] not in {0x00, 0x01, *range(0xD0, 0xD9)}:
            (length,) = struct.unpack(">H", _take(file, 2))
            file.seek(max(length - 2, 0), io.SEEK_CUR)
    return None


def _tiff(file: File) -> Header:
    """TIFF and BigTIFF in either order of bytes."""
    head = _take(file, 16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    (directory,) = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])
    file.seek(directory)
    (count,) = struct.unpack(order + ("Q" if big else "H"), _take(file, 8 if big else 2))
    found = {_ORIENTATION: 1}
    for _ in range(min(count, _MAX_TAGS)):
        entry = _take(file, 20 if big else 12)
        tag, kind = struct.unpack(order + "HH", entry[:4])
        value = entry[12:] if big else entry[8:]
        if tag in {256, 257, _ORIENTATION} and kind in {3, 4}:
            (found[tag],) = struct.unpack(order + "xHI"[kind - 2], value[: 2 if kind == 3 else 4])
    return Header(found.get(256, 0), found.get(257, 0), found[_ORIENTATION])


def _codestream(file: File) -> Header:
    """JPEG 2000, from the marker that it begins with."""
    head = _take(file, 24)
    right, bottom, left, top = struct.unpack(">IIII", head[8:24])
    (length,) = struct.unpack(">H", head[4:6])
    file.seek(max(length - 20, 0), io.SEEK_CUR)
    reductions = 0
    for _ in range(_MAX_MARKERS):
        marker = _take(file, 4)
        if marker[:1] != b"\xff" or marker[1:2] == b"\x90":  # the first tile begins
            break
        (length,) = struct.unpack(">H", marker[2:4])
        body = _take(file, max(length - 2, 0))
        if marker[1] == 0x52:
            reductions = body[5]
            break
    return Header(right - left, bottom - top, reductions=reductions)


def _jp2(file: File) -> Header | None:
    place = iso_boxes.codestream(file)
    if place is None:
        return None
    file.seek(place)
    return _codestream(file)


def _iso(file: File) -> Header | None:
    picture = iso_boxes.primary_picture(file)
    return Header(picture.width, picture.height, picture.orientation) if picture else None


class _Bits:
    """From the lowest bit of each byte, as JPEG XL counts them."""

    def __init__(self, content: bytes) -> None:
        self._value = int.from_bytes(content, "little")
        self._left = 8 * len(content)

    def take(self, count: int) -> int:
        if count > self._left:
            raise IndexError("out of bits")
        value = self._value & (1 << count) - 1
        self._value >>= count
        self._left -= count
        return value

    def side(self, *, small: bool) -> int:
        if small:
            return 8 * (self.take(5) + 1)
        return 1 + self.take((9, 13, 18, 30)[self.take(2)])


_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def _jxl(file: File) -> Header | None:
    """ISO/IEC 18181-1: SizeHeader, and the beginning of ImageMetadata for the orientation."""
    start = iso_boxes.jxl_codestream(file)
    if start is None:
        return None
    file.seek(start)
    bits = _Bits(_take(file, 20)[2:])
    small = bool(bits.take(1))
    height = bits.side(small=small)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        width = height * across // down
    else:
        width = bits.side(small=small)
    plain = bits.take(1) or not bits.take(1)
    return Header(width, height, 1 if plain else 1 + bits.take(3))


_READERS: dict[str, Callable[[File], Header | None]] = {
    "image/png": _png,
    "image/gif": _gif,
    "image/bmp": _bmp,
    "image/webp": _webp,
    "image/jpeg": _jpeg,
    "image/tiff": _tiff,
    "image/j2c": _codestream,
    "image/jp2": _jp2,
    "image/avif": _iso,
    "image/heic": _iso,
    "image/heif": _iso,
    "image/jxl": _jxl,
}
