"""Soft and hard shapes, quickly: gradients and glows are stretched, edges drawn large and reduced."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from devstack.replicate.media.palette import Colour, mix

Size = tuple[int, int]
Point = tuple[float, float]
_OVERSAMPLING = 2
_RADIAL_EDGE = 178  # Pillow's radial gradient at the middle of its sides; 255 is in the corners


@dataclass(frozen=True, slots=True)
class Layer:
    """Colour where the mask is white, everywhere without one; `depth` 0 is infinitely far, 1 near."""

    colour: Image.Image
    mask: Image.Image | None = None
    depth: float = 0.0


def vertical_gradient(size: Size, stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Colours at heights 0 (top) to 1 (bottom), in ascending order."""
    height = size[1]
    column = Image.new("RGB", (1, height))
    for y in range(height):
        column.putpixel((0, y), _at(stops, y / max(1, height - 1)))
    return column.resize(size, Image.Resampling.NEAREST)


def _at(stops: Sequence[tuple[float, Colour]], position: float) -> Colour:
    for (low, first), (high, second) in pairwise(stops):
        if position <= high:
            return mix(first, second, max(0.0, position - low) / max(1e-6, high - low))
    return stops[-1][1]


def solid(size: Size, colour: Colour) -> Image.Image:
    return Image.new("RGB", size, colour)


def glow(
    size: Size, centre: Point, radius: float, strength: float, power: float = 2.0
) -> Image.Image:
    """A mask that is bright at the centre and fades to nothing at the radius."""
    falloff = [round(255 * strength * max(0.0, 1 - v / _RADIAL_EDGE) ** power) for v in range(256)]
    disc = Image.radial_gradient("L").point(falloff)
    width = max(2, round(radius * 2))
    mask = Image.new("L", size)
    disc = disc.resize((width, width), Image.Resampling.BICUBIC)
    mask.paste(disc, (round(centre[0] - radius), round(centre[1] - radius)))
    return mask


def drawn(size: Size, draw: Callable[[ImageDraw.ImageDraw, float], None]) -> Image.Image:
    """A mask with smooth edges: `draw` gets a larger canvas and the factor to draw larger by."""
    large = Image.new("L", (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING))
    draw(ImageDraw.Draw(large), float(_OVERSAMPLING))
    return large.reduce(_OVERSAMPLING)


def below(size: Size, heights: Sequence[float]) -> Image.Image:
    """A mask of all that lies under a line given by evenly spaced heights in pixels."""
    width, height = size

    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        step = width / (len(heights) - 1)
        line = [(i * step * factor, y * factor) for i, y in enumerate(heights)]
        canvas.polygon([(0, height * factor), *line, (width * factor, height * factor)], fill=255)

    return drawn(size, draw)


def rugged(rng: Random, points: int, roughness: float) -> list[float]:
    """Midpoint displacement: heights about 0, between -1 and 1."""
    line, spread = [rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4)], 1.0
    while len(line) < points:
        refined: list[float] = []
        for first, second in pairwise(line):
            refined += [first, (first + second) / 2 + rng.uniform(-spread, spread) * 0.5]
        line, spread = [*refined, line[-1]], spread * roughness
    top = max(1e-6, *(abs(value) for value in line))
    return [value / top for value in line]


def rolling(rng: Random, points: int, waves: float) -> list[float]:
    """A smooth line: three sines, heights between -1 and 1."""
    parts = [
        (waves * scale, rng.uniform(0, math.tau), weight)
        for scale, weight in ((1, 0.6), (2.3, 0.28), (4.1, 0.12))
    ]
    return [
        sum(weight * math.sin(math.tau * k * i / points + phase) for k, phase, weight in parts)
        for i in range(points)
    ]


def stars(size: Size, rng: Random, count: int, horizon: float) -> Image.Image:
    """A mask of stars above the horizon (a part of the height)."""
    width, height = size

    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        for _ in range(count):
            x, y = rng.uniform(0, width), rng.uniform(0, 1) ** 1.4 * height * horizon
            r = rng.choice((0.5, 0.6, 0.8, 1.0, 1.5)) * width / 1024
            box = [(x - r) * factor, (y - r) * factor, (x + r) * factor, (y + r) * factor]
            canvas.ellipse(box, fill=rng.randint(110, 255))

    return drawn(size, draw)


def clouds(size: Size, rng: Random, count: int, top: float, bottom: float) -> Image.Image:
    """A mask of long soft clouds between two heights (parts of the height)."""
    width, height = size[0] // 4, size[1] // 4
    small = Image.new("L", (width, height))
    canvas = ImageDraw.Draw(small)
    for _ in range(count):
        x, y = rng.uniform(-0.1, 1.1) * width, rng.uniform(top, bottom) * height
        for _ in range(rng.randint(4, 8)):
            half, thick = rng.uniform(0.04, 0.16) * width, rng.uniform(0.003, 0.012) * height
            cx, cy = x + rng.uniform(-0.12, 0.12) * width, y + rng.uniform(-0.015, 0.015) * height
            canvas.ellipse(
                [cx - half, cy - thick, cx + half, cy + thick], fill=rng.randint(60, 150)
            )
    soft = small.filter(ImageFilter.GaussianBlur(max(1.5, max(width, height) / 110)))
    return soft.resize(size, Image.Resampling.BICUBIC)
