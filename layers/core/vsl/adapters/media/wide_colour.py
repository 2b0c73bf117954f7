"""Colours wider or brighter than a screen's brought to sRGB, by the code points of ITU-T H.273.

Films, AVIF and PNG name their colours so where they carry no ICC profile. FFmpeg's own conversion
takes seconds to prepare; a table of 33 steps a side is made in a tenth of one and is close enough.
"""

import math
from functools import cache

from PIL import Image, ImageFilter

_STEPS = 33
_WHITE = 203.0  # nits of paper white in films of high range (ITU-R BT.2408)
_KNEE = 0.7  # of the screen's white: what is brighter is compressed
_PQ, _HLG = 16, 18
_P3 = (
    (1.2249, -0.2247, 0.0),
    (-0.0420, 1.0419, 0.0),
    (-0.0197, -0.0786, 1.0979),
)
_TO_SRGB: dict[int, tuple[tuple[float, float, float], ...]] = {
    9: (  # BT.2020
        (1.6605, -0.5876, -0.0728),
        (-0.1246, 1.1329, -0.0083),
        (-0.0182, -0.1006, 1.1187),
    ),
    11: _P3,
    12: _P3,
}
_SAME = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def to_srgb(image: Image.Image, primaries: int, transfer: int) -> Image.Image:
    """An RGB picture as a screen shows it; one with the colours of screens is returned as it is."""
    if primaries not in _TO_SRGB and transfer not in {_PQ, _HLG}:
        return image
    return image.filter(_table(primaries, transfer if transfer in {_PQ, _HLG} else 0))


@cache
def _table(primaries: int, transfer: int) -> ImageFilter.Color3DLUT:
    matrix = _TO_SRGB.get(primaries, _SAME)
    levels = {step / (_STEPS - 1): _linear(step / (_STEPS - 1), transfer) for step in range(_STEPS)}

    def convert(r: float, g: float, b: float) -> tuple[float, float, float]:
        light = levels[r], levels[g], levels[b]
        red, green, blue = (
            _encoded(sum(weight * part for weight, part in zip(row, light, strict=True)), transfer)
            for row in matrix
        )
        return red, green, blue

    return ImageFilter.Color3DLUT.generate(_STEPS, convert)


def _linear(level: float, transfer: int) -> float:
    """Light, 1 being white; films of high range go beyond it."""
    if transfer == _PQ:  # SMPTE ST 2084
        root = math.pow(level, 1 / 78.84375)
        part = max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        return math.pow(part, 1 / 0.1593017578125) * 10_000 / _WHITE
    if transfer == _HLG:  # ITU-R BT.2100, shown at 1000 nits
        bright = (math.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
        return math.pow(level**2 / 3 if level <= 0.5 else bright, 1.2) * 1000 / _WHITE
    return level / 12.92 if level <= 0.04045 else math.pow((level + 0.055) / 1.055, 2.4)


def _encoded(light: float, transfer: int) -> float:
    if transfer and light > _KNEE:
        room = 1 - _KNEE
        light = _KNEE + room * (1 - math.exp((_KNEE - light) / room))
    light = min(max(light, 0.0), 1.0)
    return 12.92 * light if light <= 0.0031308 else 1.055 * math.pow(light, 1 / 2.4) - 0.055
