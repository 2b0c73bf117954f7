"""What is inside a media file: size, duration, codec, and a thumbnail.

The files come from models that anyone may have written, so nothing in them is trusted: sizes are
checked before pixels are decoded, decoders run on one thread, and time and bytes are bounded.
"""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from vsl.adapters.sniff import Sniffed
from vsl.domain.job import MediaType

MAX_PIXELS = 40_000_000
"""Largest picture that is decoded as a whole: 160 MB as RGBA."""
MAX_DRAFT_PIXELS = 89_000_000
"""Largest sequential JPEG: it is decoded at a fraction of its size. Pillow warns just above."""
MAX_SECONDS = 20.0

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
_TRANSPOSED = {5, 6, 7, 8}  # EXIF orientations that lie on their side
_ORIENTATION = 0x0112


@dataclass(slots=True)
class Probe:
    """What could be found out; `faults` says why the rest could not.

    Pixels as displayed (upright), `duration` in seconds, `thumbnail` a WebP file.
    """

    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    codec: str | None = None
    thumbnail: bytes | None = None
    faults: tuple[str, ...] = ()


def probe(
    open_file: Callable[[Callable[[], bool]], IO[bytes] | io.RawIOBase], sniffed: Sniffed
) -> Probe:
    """Look into a file. Never raises on account of the file: what fails is a fault of the result.

    `open_file` is given a function that tells whether the time is over.
    """
    deadline = time.monotonic() + MAX_SECONDS

    def expired() -> bool:
        return time.monotonic() > deadline

    found = Probe()
    try:
        with open_file(expired) as file:
            if sniffed.media is MediaType.IMAGE:
                _probe_image(file, sniffed.content_type, found)
            elif sniffed.media is not None:
                from vsl.adapters.av_probe import probe_stream

                probe_stream(file, sniffed.media, expired, found)
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile files
        found.faults += (f"{type(error).__name__}: {error}",)
    return found


def _probe_image(file: IO[bytes] | io.RawIOBase, content_type: str, found: Probe) -> None:
    from PIL import Image

    from vsl.adapters import thumbnails

    name = _FORMATS.get(content_type)
    if name is None:
        raise ValueError(f"there is no decoder for {content_type}")
    with Image.open(file, formats=(name,)) as image:  # type: ignore[arg-type]
        found.codec = name.lower()
        found.width, found.height = image.size
        sequential_jpeg = name == "JPEG" and not image.info.get("progressive")
        limit = MAX_DRAFT_PIXELS if sequential_jpeg else MAX_PIXELS
        if image.width * image.height > limit:
            raise ValueError(f"{image.width} x {image.height} pixels are too many to decode")
        image.draft("RGB", (thumbnails.MAX_SIDE, thumbnails.MAX_SIDE))
        # Only now: the EXIF block of a PNG may come last, and asking for it decodes the picture.
        if image.getexif().get(_ORIENTATION) in _TRANSPOSED:
            found.width, found.height = found.height, found.width
        found.thumbnail = thumbnails.of_image(image)
