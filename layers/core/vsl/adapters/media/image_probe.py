"""Pictures through Pillow, each format by its own plugin: nothing guesses, nothing else is loaded.

A header is read by our own code first (`image_header`), so that a picture has its size whatever
becomes of its pixels. Their number is checked before any is decoded.
"""

import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

from PIL import ImageFile

from vsl.adapters.media import thumbnails
from vsl.adapters.media.facts import Probe, measure
from vsl.adapters.media.formats import animation, iso_boxes
from vsl.adapters.media.formats.image_header import Header, exif_orientation, read_header, upright
from vsl.adapters.media.formats.png_chunks import read_png

MAX_PIXELS = 40_000_000
"""Largest picture that is decoded as a whole: 160 MB as RGBA."""
MAX_DRAFT_PIXELS = 89_000_000
"""Largest sequential JPEG: it is decoded at a fraction of its size. Pillow warns just above."""
MAX_CODESTREAM_PIXELS = 10_000_000
"""JPEG 2000 is decoded at a fraction of its size, too; its decoder takes five times the memory."""

_PLUGINS = {
    "image/png": ("PngImagePlugin", "PngImageFile"),
    "image/jpeg": ("JpegImagePlugin", "JpegImageFile"),
    "image/webp": ("WebPImagePlugin", "WebPImageFile"),
    "image/gif": ("GifImagePlugin", "GifImageFile"),
    "image/avif": ("AvifImagePlugin", "AvifImageFile"),
    "image/bmp": ("BmpImagePlugin", "BmpImageFile"),
    "image/tiff": ("TiffImagePlugin", "TiffImageFile"),
    "image/jp2": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "image/j2c": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
}
KNOWN = frozenset(_PLUGINS) | {"image/heic", "image/heif", "image/jxl"}
_CODECS = {"image/jp2": "jpeg2000", "image/j2c": "jpeg2000"}
_BOXED = frozenset({"image/avif", "image/heic", "image/heif"})

type File = IO[bytes] | io.RawIOBase


@dataclass(slots=True)
class _Look:
    """What is to be shown, and what is known of it beside its pixels."""

    file: Any
    header: Header | None
    exif: bytes | None = None
    profile: bytes | None = None
    colours: tuple[int, int] | None = None


def probe_image(file: File, content_type: str, expired: Callable[[], bool], found: Probe) -> None:
    """Fill `found` as far as the file allows."""
    found.codec = _CODECS.get(content_type, content_type.partition("/")[2])
    look = _Look(file, None)
    with found.attempt():
        look.header = read_header(file, content_type)
        if look.header:
            found.width, found.height = look.header.size
    with found.attempt():
        found.duration = measure(_prepare(look, content_type, expired))
    if content_type in _PLUGINS:
        with found.attempt(), warnings.catch_warnings(action="ignore"):
            _draw(look, content_type, found)
    if content_type in _BOXED and found.thumbnail is None and look.header:
        from vsl.adapters.media.av_probe import probe_still

        with found.attempt():
            probe_still(file, look.header.size, expired, found)
    elif content_type not in _PLUGINS:
        found.note(ValueError(f"there is no decoder for {content_type}"))


def _prepare(look: _Look, content_type: str, expired: Callable[[], bool]) -> float | None:
    """Read what stands around the pixels; how long the picture plays."""
    if content_type != "image/png":
        if content_type == "image/avif":
            picture = iso_boxes.primary_picture(look.file)
            look.colours = picture.colours if picture else None
        return animation.length(look.file, content_type, expired)
    png = read_png(look.file, expired)
    look.file = png.picture
    look.exif, look.profile, look.colours = png.exif, png.profile, png.colours
    return animation.played(png.frames)


def _draw(look: _Look, content_type: str, found: Probe) -> None:
    look.file.seek(0)
    module, name = _PLUGINS[content_type]
    with getattr(import_module(f"PIL.{module}"), name)(look.file) as image:
        exif = look.exif or image.info.get("exif")
        # A TIFF is turned by Pillow itself while it loads.
        orientation = 1 if content_type == "image/tiff" else exif_orientation(exif or b"")
        found.width, found.height = upright(image.size, orientation)
        _shrink(image, look.header, content_type)
        if _decoded(image, found):
            found.thumbnail = thumbnails.of_image(
                image, orientation, look.profile or image.info.get("icc_profile"), look.colours
            )


def _shrink(image: ImageFile.ImageFile, header: Header | None, content_type: str) -> None:
    """Let the picture be decoded at a fraction of its size where its format can. Raises ValueError
    if what is left is too much."""
    width, height = image.size
    limit = MAX_PIXELS
    if content_type in _CODECS:
        wanted = math.floor(math.log2(max(1, max(width, height) / thumbnails.MAX_SIDE)))
        reductions = min(wanted, header.reductions if header else 0)
        image.reduce = reductions  # type: ignore[method-assign,assignment]
        limit = MAX_CODESTREAM_PIXELS << 2 * reductions
    elif content_type == "image/jpeg" and not image.info.get("progressive"):
        limit = MAX_DRAFT_PIXELS
    if width * height > limit:
        raise ValueError(f"{width} x {height} pixels are too many to decode")
    image.draft("RGB", (thumbnails.MAX_SIDE, thumbnails.MAX_SIDE))


def _decoded(image: ImageFile.ImageFile, found: Probe) -> bool:
    """Whether there are pixels: of a damaged or truncated picture those that came before the fault."""
    try:
        image.load()
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile files
        found.note(error)
        partial = image._im  # noqa: SLF001 - `im` raises when nothing was decoded
        if partial is None or partial.size != image.size:
            return False
        image.tile = []  # nothing is left to be decoded
    return True
