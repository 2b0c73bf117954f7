"""Thumbnails, always WebP and never wider or higher than 640 pixels. Pillow only."""

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from vsl.adapters.media.wide_colour import to_srgb

if TYPE_CHECKING:
    from av import VideoFrame

    from vsl.adapters.media.av_display import Display

MAX_SIDE = 640
WAVEFORM_SIZE = (640, 120)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
_BAR, _GAP, _MARGIN = 3, 2, 10  # pixels of the finished waveform
_SCALE = 3  # drawn this much larger, then reduced: smooth edges
_BACKGROUND = (15, 23, 42)
_GRADIENT = ((56, 189, 248), (129, 140, 248), (232, 121, 249))


def of_image(
    image: Image.Image,
    orientation: int = 1,
    profile: bytes | None = None,
    colours: tuple[int, int] | None = None,
) -> bytes:
    """The thumbnail of a decoded picture: upright as its EXIF `orientation` says, in sRGB.

    Its colours are those of an ICC `profile`, else of `colours` (primaries and transfer by H.273).
    """
    image = _plain(image)
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    image = _on_screen(image, profile, colours)
    turn = _TURNS.get(orientation)
    return _webp(image if turn is None else image.transpose(turn))


def of_frame(frame: "VideoFrame", display: "Display") -> bytes:
    """The thumbnail of a decoded frame as it is shown; scaled before it becomes a picture."""
    scale = min(1, MAX_SIDE / max(display.shape))
    width, height = (max(1, round(side * scale)) for side in display.shape)
    return _webp(display.picture(frame, width, height))


def of_waveform(peaks: Sequence[float]) -> bytes:
    """Bars mirrored about the middle. `peaks` are amplitudes from 0 to 1, evenly spaced in time."""
    width, height = (side * _SCALE for side in WAVEFORM_SIZE)
    count = (WAVEFORM_SIZE[0] - 2 * _MARGIN + _GAP) // (_BAR + _GAP)
    bars = _resample(peaks, count)
    loudest = max(bars, default=0) or 1
    mask = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(mask)
    room = height / 2 - _MARGIN * _SCALE
    for number, peak in enumerate(bars):
        left = (_MARGIN + number * (_BAR + _GAP)) * _SCALE
        half = max(room * peak / loudest, _BAR * _SCALE / 2)
        box = (left, height / 2 - half, left + _BAR * _SCALE - 1, height / 2 + half)
        draw.rounded_rectangle(box, radius=_BAR * _SCALE / 2, fill=255)
    mask = mask.resize(WAVEFORM_SIZE, Image.Resampling.LANCZOS)
    image = Image.new("RGB", WAVEFORM_SIZE, _BACKGROUND)
    image.paste(_gradient(WAVEFORM_SIZE), mask=mask)
    return _webp(image)


def _resample(peaks: Sequence[float], count: int) -> list[float]:
    """The largest peak within each of `count` equal stretches; short material is stretched."""
    if not peaks:
        return [0.0] * count
    edges = [number * len(peaks) / count for number in range(count + 1)]
    return [max(peaks[int(a) : max(int(b), int(a) + 1)]) for a, b in pairwise(edges)]


def _gradient(size: tuple[int, int]) -> Image.Image:
    """From left to right through the colours of `_GRADIENT`."""
    row = Image.new("RGB", (len(_GRADIENT), 1))
    row.putdata(_GRADIENT)
    return row.resize(size, Image.Resampling.BILINEAR)


def _plain(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled without loss: a palette, a transparent colour and 16 bits cannot."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        return _eight_bits(image)
    if image.mode in {"RGB", "L", "1", "P", "PA"} and image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode in {"1", "P", "PA"} else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits (depth maps) keeps its upper eight; where a format knows no end of white, as
    32 bits and fractions do, the brightest is white."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda level: level / 256).convert("L")
    low, high = image.getextrema()
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return image.convert("L")
    if image.mode == "I" and low >= 0 and high <= 0xFFFF:
        low, high = 0, 0x10000
    span = (high - low) or 1
    return image.point(lambda level: level * (256 / span) - low * 256 / span).convert("L")


def _on_screen(
    image: Image.Image, profile: bytes | None, colours: tuple[int, int] | None
) -> Image.Image:
    """In sRGB, as RGB or RGBA: what WebP knows."""
    alpha = image.getchannel("A") if image.mode in {"LA", "RGBA"} else None
    shown = _by_profile(image, profile) if profile else None
    if shown is None:
        shown = image.convert("RGB")
        if colours and not profile:
            shown = to_srgb(shown, *colours)
    if alpha:
        shown.putalpha(alpha)
    return shown


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """None for a profile that is broken, or is not one of this picture's colours."""
    from PIL import ImageCms  # most pictures have no profile

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _SPACES.get(source.profile.xcolor_space.strip())
        if mode is None or (mode == "CMYK") != (image.mode == "CMYK"):
            return None
        screen = ImageCms.createProfile("sRGB")
        plain = image if image.mode == mode else image.convert("RGB").convert(mode)
        return ImageCms.profileToProfile(plain, source, screen, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # A third of the time of the default method 4, and no larger (docs/performance.md).
    image.save(buffer, "WEBP", quality=80, method=1)
    return buffer.getvalue()
