"""Things that stand in a landscape: planets, towers, trees."""

import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageDraw

from devstack.replicate.media.palette import Palette, mix
from devstack.replicate.media.shapes import Layer, Size, drawn, glow, solid

Tower = tuple[float, float, float, float]


def towers_of(rng: Random, size: Size, part: float) -> list[Tower]:
    """Left, top, right, bottom of each; nearer ones are wider and, on the whole, lower."""
    width, height = size
    towers: list[Tower] = []
    x = -0.03 * width
    while x < width * 1.03:
        broad = min(width, height) * rng.uniform(0.05, 0.1) * (0.8 + 0.7 * part)
        centre = 1 - abs((x + broad / 2) / width - 0.5) * 1.1
        tall = height * (0.16 + 0.36 * rng.random() ** 1.6 * centre) * (1.08 - 0.34 * part)
        towers.append((x, height * 0.93 - tall, x + broad, float(height)))
        x += broad * rng.uniform(0.92, 1.12)
    return towers


def draw_towers(towers: list[Tower]) -> Callable[[ImageDraw.ImageDraw, float], None]:
    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        for index, (left, top, right, bottom) in enumerate(towers):
            canvas.rectangle(
                [left * factor, top * factor, right * factor, bottom * factor], fill=255
            )
            middle, broad = (left + right) / 2, right - left
            if index % 3 == 0:
                mast = [(middle - 1) * factor, (top - broad * 0.9) * factor, (middle + 1) * factor]
                canvas.rectangle([*mast, top * factor], fill=255)
            elif index % 3 == 1:
                step = [left + broad * 0.2, top - broad * 0.22, right - broad * 0.2, top]
                canvas.rectangle([edge * factor for edge in step], fill=255)

    return draw


def draw_windows(
    rng: Random, towers: list[Tower], span: float, part: float
) -> Callable[[ImageDraw.ImageDraw, float], None]:
    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        across, down = span * (0.011 + 0.005 * part), span * (0.016 + 0.007 * part)
        for left, top, right, bottom in towers:
            columns = max(1, int((right - left) / across) - 1)
            margin = ((right - left) - columns * across) / 2
            for row in range(int((bottom * 0.86 - top) / down)):
                for column in range(columns):
                    if rng.random() < 0.34:
                        x, y = left + margin + column * across, top + down * (row + 0.6)
                        box = [x + across * 0.25, y, x + across * 0.75, y + down * 0.5]
                        shade = int(rng.randint(90, 235) * (0.55 + 0.45 * part))
                        canvas.rectangle([edge * factor for edge in box], fill=shade)

    return draw


def draw_trees(
    rng: Random, size: Size, ground: list[float], part: float
) -> Callable[[ImageDraw.ImageDraw, float], None]:
    """Conifers: six tapering skirts each, larger in front."""
    width, height = size
    span = min(width, height)

    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        x = -0.05 * width
        while x < width * 1.05:
            tall = span * (0.09 + 0.2 * part) * rng.uniform(0.6, 1.25)
            index = min(len(ground) - 1, max(0, int(x / width * (len(ground) - 1))))
            foot, half = ground[index] + tall * 0.06, tall * rng.uniform(0.17, 0.23)
            for skirt in range(6):
                low, high = foot - tall * skirt / 7, foot - tall * min(1.0, (skirt + 2.4) / 7)
                wide = half * (1 - skirt / 6.6)
                points = [(x - wide, low), (x, high), (x + wide, low)]
                canvas.polygon([(a * factor, b * factor) for a, b in points], fill=255)
            x += half * rng.uniform(0.75, 2.1)

    return draw


def planet(
    rng: Random,
    palette: Palette,
    size: Size,
    centre: tuple[float, float],
    radius: float,
    *,
    ringed: bool,
) -> list[Layer]:
    """A banded globe lit from the upper left, with a ring before and behind it."""
    depth = 0.35 if ringed else 0.15
    (x, y), tilt = centre, rng.uniform(0.2, 0.3)
    side = round(radius * 2)
    bands = Image.new("RGB", (1, 64))
    colours = [palette.sky[2], palette.sky[1], palette.far, mix(palette.light, palette.sky[2], 0.5)]
    for row in range(64):
        wave = 0.5 + 0.5 * math.sin(row * rng.uniform(0.28, 0.34) + 2)
        bands.putpixel(
            (0, row), mix(colours[row // 9 % 4], colours[(row // 7 + 1) % 4], wave * 0.6)
        )
    globe = bands.resize((side, side), Image.Resampling.BICUBIC)
    globe = globe.rotate(math.degrees(tilt), Image.Resampling.BICUBIC, fillcolor=colours[0])
    shade = glow((side, side), (side * 0.32, side * 0.3), side * 1.2, 1.0, 0.9)
    globe = Image.composite(globe, solid((side, side), mix(palette.near, (0, 0, 0), 0.4)), shade)
    colour = Image.new("RGB", size)
    colour.paste(globe, (round(x - radius), round(y - radius)))

    def disc(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        box = [x - radius, y - radius, x + radius, y + radius]
        canvas.ellipse([edge * factor for edge in box], fill=255)

    mask = drawn(size, disc)
    halo = Layer(solid(size, palette.sky[2]), glow(size, centre, radius * 2.1, 0.5, 2.2), depth)
    layers = [halo, Layer(colour, mask, depth)]
    if ringed:
        ring = _ring(size, centre, radius, tilt)
        hidden = Image.new("L", size, 255)
        hidden.paste(0, (0, 0, size[0], round(y)))
        hidden = hidden.rotate(math.degrees(tilt), center=centre, fillcolor=255)
        seen = ImageChops.subtract(ring, ImageChops.subtract(mask, hidden))
        layers.append(Layer(solid(size, mix(palette.light, palette.sky[2], 0.35)), seen, depth))
    return layers


def _ring(size: Size, centre: tuple[float, float], radius: float, tilt: float) -> Image.Image:
    x, y = centre

    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        for scale, shade in ((2.15, 120), (2.0, 200), (1.78, 60), (1.72, 170), (1.5, 0)):
            wide, flat = radius * scale, radius * scale * 0.2
            box = [x - wide, y - flat, x + wide, y + flat]
            canvas.ellipse([edge * factor for edge in box], fill=shade)

    flat = drawn(size, draw)
    return flat.rotate(math.degrees(tilt), Image.Resampling.BICUBIC, center=centre)
