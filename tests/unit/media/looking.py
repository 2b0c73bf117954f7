"""Looking into a file as StoreMedia does, and at the thumbnail that comes of it."""

import io
from collections.abc import Callable
from typing import IO, cast

from PIL import Image

from vsl.adapters.media.facts import Probe
from vsl.adapters.media.probe import probe
from vsl.adapters.media.sniff import HEAD_SIZE, Sniffed, sniff


def look_into(content: bytes, sniffed: Sniffed | None = None) -> Probe:
    def open_file(_expired: Callable[[], bool]) -> IO[bytes]:
        return io.BytesIO(content)

    return probe(open_file, sniffed or sniff(content[:HEAD_SIZE]))


def thumbnail(found: Probe) -> Image.Image:
    assert found.thumbnail is not None, found.faults
    image = Image.open(io.BytesIO(found.thumbnail))
    assert image.format == "WEBP"
    return image


def colour(image: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    return cast("tuple[int, int, int]", image.convert("RGB").getpixel((x, y)))


def brightness(image: Image.Image, x: int, y: int) -> int:
    return cast("int", image.convert("L").getpixel((x, y)))
