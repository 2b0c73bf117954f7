"""A landscape in planes from far to near: a sky with its light, then ridges that rise from mist."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFilter

from devstack.replicate.media.request import chance
from devstack.replicate.media.sizes import Size
from devstack.replicate.media.themes import Colour, mix, theme

_RIDGES = 5
_POINTS = 513
_RISE = {"trees": (0.06, 0.36), "waves": (0.018, 0.01), "hills": (0.18, 0.1)}  # far and near
_RADIAL_EDGE = 178  # Pillow's radial gradient at the middle of its sides; 255 is in the corners


class Plane(NamedTuple):
    """Stands on the lower edge; opaque where the mask is white. `depth` 0 is infinitely far, 1 near."""

    picture: Image.Image
    mask: Image.Image | None
    depth: float


def landscape(prompt: str, seed: int, size: Size) -> Iterator[Plane]:
    """The prompt decides on colours and outline, the seed how it lies; each plane is made when it is
    asked for, as all of them at once take room."""
    rng, (colours, outline), (width, height) = chance(prompt, seed), theme(prompt), size
    _, _, low, light, far, near = colours
    sun = rng.uniform(0.24, 0.76) * width, height * rng.uniform(0.2, 0.42)
    yield Plane(_sky(rng, size, colours, sun, planet=outline == "planet"), None, 0.0)
    for index in range(_RIDGES):
        part = index / (_RIDGES - 1)
        first, last = _RISE.get(outline, (0.3, 0.16))
        base, rise = height * (0.6 + 0.32 * part), height * (first + (last - first) * part)
        colour = mix(mix(far, low, 0.3 * (1 - part)), near, part**0.85)
        body = [mix(colour, low, 0.2), colour, mix(colour, low, 0.35 * (1 - part))]
        plane = _ridge(size, [base - rise * up for up in _outline(rng, outline)], body, part)
        draw, unit = ImageDraw.Draw(plane.picture), min(size) * (0.01 + 0.008 * part)
        if outline == "towers":
            _windows(rng, draw, plane.picture.size, unit, mix(colour, light, 0.5))
        elif outline == "waves":
            for _ in range(90):  # the sun's path on the water
                x, y = rng.gauss(sun[0], width * (0.03 + 0.05 * part)), rng.random() * height
                draw.line((x, y, x + unit * rng.uniform(0.5, 3), y), mix(colour, light, 0.5), 2)
        yield plane


def _gradient(size: Size, *colours: Colour) -> Image.Image:
    """From top to bottom."""
    column = Image.frombytes("RGB", (1, len(colours)), bytes(sum(colours, ())))
    smooth = column.resize((1, size[1]), Image.Resampling.BICUBIC)
    return smooth.resize(size, Image.Resampling.NEAREST)


def _sky(
    rng: Random, size: Size, colours: list[Colour], sun: tuple[float, float], *, planet: bool
) -> Image.Image:
    """Stars if it is dark, the sun or moon (or a planet) with its halo, clouds."""
    (width, height), (top, middle, low, light, *_) = size, colours
    sky = _gradient(size, top, mix(top, middle, 0.6), middle, low, low)
    draw = ImageDraw.Draw(sky)
    for _ in range(260 if sum(top) < 80 else 0):
        x, y = rng.uniform(0, width), rng.random() ** 1.4 * height * 0.6
        r = rng.choice((0.0, 0.0, 0.6, 1.0)) * min(size) / 900
        draw.ellipse(
            (x - r, y - r, x + r, y + r), mix(middle, (240, 244, 255), rng.uniform(0.3, 1))
        )
    radius = max(1, round(min(size) * rng.uniform(0.06, 0.09) * (2.6 if planet else 1)))
    for reach, strength in ((round(min(size) * 0.95), 0.55), (radius * 4, 0.6)):
        fall = [round(255 * strength * max(0, 1 - v / _RADIAL_EDGE) ** 2.4) for v in range(256)]
        halo = Image.radial_gradient("L").point(fall).resize((2 * reach, 2 * reach))
        sky.paste(light, (round(sun[0]) - reach, round(sun[1]) - reach), halo)
    disc = Image.new("L", (4 * radius, 4 * radius))
    ImageDraw.Draw(disc).ellipse((0, 0, 4 * radius - 1, 4 * radius - 1), 255)
    bands = [light, mix(light, low, 0.5), low, mix(low, middle, 0.5)] * 2 if planet else [light]
    globe = _gradient((2 * radius, 2 * radius), *bands)
    sky.paste(globe, (round(sun[0]) - radius, round(sun[1]) - radius), disc.reduce(2))
    veil = Image.new("L", (width // 4, height // 4))
    for _ in range(16):
        x, y = rng.uniform(0, veil.width), rng.uniform(0.15, 0.58) * veil.height
        half, thick = rng.uniform(0.05, 0.2) * veil.width, rng.uniform(0.003, 0.01) * veil.height
        cloud = (x - half, y - thick, x + half, y + thick)
        ImageDraw.Draw(veil).ellipse(cloud, rng.randint(60, 150))
    veil = veil.filter(ImageFilter.GaussianBlur(max(1.5, max(veil.size) / 110))).resize(size)
    sky.paste(mix(low, (255, 255, 255), 0.45), mask=veil)
    return sky


def _ridge(size: Size, line: Sequence[float], colours: Sequence[Colour], depth: float) -> Plane:
    """All that lies under the line, its edge drawn large and reduced."""
    (width, height), top = size, max(0, math.floor(min(line)))
    low = min(height, math.ceil(max(line)) + 1) - top
    edge, step = Image.new("L", (2 * width, 2 * low)), 2 * width / (_POINTS - 1)
    above = [(i * step, 2 * (y - top)) for i, y in enumerate(line)]
    ImageDraw.Draw(edge).polygon([(0, 2 * low), *above, (2 * width, 2 * low)], 255)
    mask = Image.new("L", (width, height - top), 255)
    mask.paste(edge.reduce(2))
    return Plane(_gradient(mask.size, *colours), mask, depth)


def _outline(rng: Random, kind: str) -> list[float]:
    """Heights from 0 to 1, evenly spaced."""
    if kind in {"peaks", "planet"}:
        return _peaks(rng)
    cycles = (5, 11, 23) if kind == "waves" else (1.4, 3.1, 5.7)
    parts = [
        (math.tau * k / _POINTS, rng.uniform(0, math.tau), 0.3 * cycles[0] / k) for k in cycles
    ]
    hills = [0.5 + sum(w * math.sin(k * i + p) for k, p, w in parts) for i in range(_POINTS)]
    if kind in {"hills", "waves"}:
        return hills
    line: list[float] = []
    while len(line) < _POINTS:
        half, tall = rng.randint(6, 11), rng.random() ** 1.6
        if kind == "towers":
            line += [0.15 + 0.85 * tall] * 2 * half
        else:  # the skirts of a fir
            ground, sides = 0.4 * hills[len(line)], [1 - abs(x) / half for x in range(-half, half)]
            line += [ground + (0.3 + 0.3 * tall) * (up / 2 + int(up * 4) / 8) for up in sides]
    return line[:_POINTS]


def _peaks(rng: Random) -> list[float]:
    """Midpoint displacement."""
    line, spread = [rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.6)], 0.5
    while len(line) < _POINTS:
        middles = [(a + b) / 2 + rng.uniform(-spread, spread) for a, b in pairwise(line)]
        line = [height for pair in zip(line, middles, strict=False) for height in pair] + line[-1:]
        spread *= 0.52
    lowest, highest = min(line), max(line)
    return [(value - lowest) / (highest - lowest) for value in line]


def _windows(rng: Random, draw: ImageDraw.ImageDraw, size: Size, unit: float, lit: Colour) -> None:
    for row in range(int(size[1] / unit / 1.5)):
        for column in range(int(size[0] / unit)):
            if rng.random() < 0.25:
                x, y = column * unit, row * unit * 1.5
                draw.rectangle((x, y, x + unit * 0.5, y + unit * 0.7), lit)
