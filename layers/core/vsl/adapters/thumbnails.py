"""Thumbnails, always WebP and never wider or higher than 640 pixels. Pillow only."""

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from PIL import Image, ImageDraw, ImageOps

if TYPE_CHECKING:
    from av import VideoFrame

MAX_SIDE = 640
WAVEFORM_SIZE = (640, 120)
_BAR, _GAP, _MARGIN = 3, 2, 10  # pixels of the finished waveform
_SCALE = 3  # drawn this much larger, then reduced: smooth edges
_BACKGROUND = (15, 23, 42)
_GRADIENT = ((56, 189, 248), (129, 140, 248), (232, 121, 249))


def of_image(image: Image.Image) -> bytes:
    """The thumbnail of a picture, turned upright as its EXIF orientation says."""
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return _webp(ImageOps.exif_transpose(_displayable(image)))


def of_frame(frame: "VideoFrame") -> bytes:
    """The thumbnail of a decoded frame; it is scaled down before it becomes a picture."""
    scale = min(1, MAX_SIDE / max(frame.width, frame.height))
    small = frame.reformat(
        width=max(1, round(frame.width * scale)),
        height=max(1, round(frame.height * scale)),
        format="rgb24",
        interpolation="AREA",
    )
    image = cast("Image.Image", small.to_image())  # type: ignore[no-untyped-call]
    return _webp(image.rotate(frame.rotation, expand=True) if frame.rotation else image)


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


def _displayable(image: Image.Image) -> Image.Image:
    """RGB or RGBA, the modes WebP knows; 16-bit grey (depth maps) keeps its upper eight bits."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda level: level / 256).convert("L").convert("RGB")
    if image.mode in {"RGB", "RGBA"}:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # A third of the time of the default method 4, and no larger (docs/performance.md).
    image.save(buffer, "WEBP", quality=80, method=1)
    return buffer.getvalue()
