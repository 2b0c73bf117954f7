"""How a player shows the frames of a stream: the shape of their pixels, turned, mirrored."""

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, SupportsFloat

import av
import av.logging
from av.sidedata.sidedata import Type
from av.video.reformatter import Colorspace
from PIL.Image import Image, Transpose

from vsl.adapters.media.wide_colour import to_srgb

if TYPE_CHECKING:
    from av.container import InputContainer

_MAX_STRETCH = 16.0
_UNSAID = 2  # AVCOL_SPC_UNSPECIFIED
_HIGH_DEFINITION = 720  # lines from which on films without a colour matrix use that of HDTV
_SIGNS: dict[tuple[bool, bool, bool], Transpose | None] = {
    # (across, the matrix' first row is positive, its second is): how the picture has to be turned
    (False, True, True): None,
    (False, False, False): Transpose.ROTATE_180,
    (False, False, True): Transpose.FLIP_LEFT_RIGHT,
    (False, True, False): Transpose.FLIP_TOP_BOTTOM,
    (True, True, False): Transpose.ROTATE_270,
    (True, False, True): Transpose.ROTATE_90,
    (True, True, True): Transpose.TRANSPOSE,
    (True, False, False): Transpose.TRANSVERSE,
}
_ACROSS = {Transpose.ROTATE_90, Transpose.ROTATE_270, Transpose.TRANSPOSE, Transpose.TRANSVERSE}


@dataclass(frozen=True, slots=True)
class Display:
    """`shape`: pixels once those are square, before `turn`; `size`: as shown."""

    shape: tuple[int, int]
    turn: Transpose | None = None

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.shape
        return (height, width) if self.turn in _ACROSS else (width, height)

    @classmethod
    def of_stream(cls, stream: av.VideoStream) -> Self:
        """As far as the container tells."""
        context = stream.codec_context
        matrix = context.coded_side_data.get("display_matrix")
        shape = _stretched(context.width, context.height, _pixel(stream))
        return cls(shape, _turn(array("i", bytes(matrix))) if matrix else None)

    @classmethod
    def of_frame(cls, frame: av.VideoFrame, stream: av.VideoStream) -> Self:
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)
        shape = _stretched(frame.width, frame.height, _pixel(stream))
        return cls(shape, _turn(array("i", bytes(matrix))) if matrix else None)

    def picture(self, frame: av.VideoFrame, width: int, height: int) -> Image:
        """The frame in sRGB, scaled to `width` x `height` and then turned."""
        matrix = frame.colorspace
        if matrix == _UNSAID and frame.height >= _HIGH_DEFINITION:
            matrix = Colorspace.ITU709
        small = frame.reformat(
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=matrix,
            interpolation="AREA",
            threads=1,
        )
        image: Image = small.to_image()  # type: ignore[no-untyped-call]
        image = to_srgb(image, frame.color_primaries, frame.color_trc)
        return image if self.turn is None else image.transpose(self.turn)


@dataclass(frozen=True, slots=True)
class Undecoded:
    """What the container says of a stream that no decoder is there for."""

    codec: str | None
    display: Display | None

    @classmethod
    def of(cls, container: "InputContainer", stream: av.VideoStream | av.AudioStream) -> Self:
        """PyAV gives such a stream few attributes, but FFmpeg describes it in words."""
        level = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            text = container.dumps_format()
        finally:
            av.logging.set_level(level)
        said = re.search(rf"^  Stream #0:{stream.index}\b.*\n(    .*\n)*", text, re.MULTILINE)
        line = said[0] if said else ""
        codec = re.search(r": (?:Video|Audio): (\w+)", line)
        size = re.search(r", (\d+)x(\d+)\b", line)
        display = None
        if isinstance(stream, av.VideoStream) and size and "0" not in size.groups():
            turned = re.search(r"Display Matrix: rotation of (-?\d+)", line)
            sideways = turned is not None and round(int(turned[1]) / 90) % 2
            shape = _stretched(int(size[1]), int(size[2]), stream.sample_aspect_ratio)
            display = Display(shape, Transpose.ROTATE_90 if sideways else None)
        return cls(None if codec is None or codec[1] == "none" else codec[1], display)


def _pixel(stream: av.VideoStream) -> SupportsFloat | None:
    return stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio


def _stretched(width: int, height: int, pixel: SupportsFloat | None) -> tuple[int, int]:
    """Browsers stretch what is too narrow and never shrink. A shape that no film has is a mistake."""
    ratio = float(pixel) if pixel else 1.0
    if not 1 / _MAX_STRETCH <= ratio <= _MAX_STRETCH:
        return width, height
    return (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))


def _turn(matrix: Iterable[Any]) -> Transpose | None:
    """Of a display matrix (FFmpeg's, row by row), to the nearest right angle."""
    a, b, _, c, d, *_ = matrix
    across = abs(b) > abs(a)
    first, second = (b, c) if across else (a, d)
    return _SIGNS[across, first >= 0, second >= 0]
