"""Six kinds of landscape, each a stack of layers from far to near."""

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from devstack.replicate.media.chance import chance
from devstack.replicate.media.figures import (
    draw_towers,
    draw_trees,
    draw_windows,
    planet,
    towers_of,
)
from devstack.replicate.media.palette import Palette, first_match, mix, palette_for, pick
from devstack.replicate.media.shapes import (
    Layer,
    Size,
    below,
    clouds,
    drawn,
    glow,
    rolling,
    rugged,
    solid,
    stars,
    vertical_gradient,
)

_WORDS: Sequence[tuple[str, str]] = (
    ("space", r"space|galax\w*|planet\w*|cosm\w*|nebula|astronaut|rocket|alien\w*|universe"),
    (
        "city",
        r"city|cities|street\w*|skyline|town|tokyo|york|building\w*|cyber\w*|neon|urban|robot\w*",
    ),
    (
        "sea",
        r"sea|ocean|beach|wave\w*|lake|island|ship|boat|sail\w*|water|whale\w*|coast|lighthouse",
    ),
    ("forest", r"forest|wood\w*|jungle|tree\w*|pine\w*|fox|deer|bear|owl|garden"),
    ("desert", r"desert|dune\w*|sand|sahara|camel\w*|pyramid\w*|mars"),
    ("mountains", r"mountain\w*|alps?|peak\w*|snow\w*|hill\w*|valley|canyon|volcan\w*"),
)


def scene(prompt: str, seed: int, size: Size) -> list[Layer]:
    """The prompt decides what is shown and in which colours, the seed how it lies."""
    rng, palette = chance(prompt, seed), palette_for(prompt)
    kind = first_match(prompt, _WORDS) or pick(prompt, "scene", sorted(_SCENES))
    return _SCENES[kind](rng, palette, size)


def _sky(rng: Random, palette: Palette, size: Size, horizon: float) -> list[Layer]:
    """Gradient, stars at night, the sun or moon with its halo, clouds."""
    width, height = size
    top, middle, low = palette.sky
    heavens = vertical_gradient(
        size, [(0, top), (horizon * 0.55, middle), (horizon, low), (1, low)]
    )
    span = min(width, height)
    centre = (rng.uniform(0.24, 0.76) * width, horizon * rng.uniform(0.38, 0.72) * height)
    radius = span * rng.uniform(0.055, 0.095)
    layers = [Layer(heavens)]
    if palette.night:
        night = stars(size, rng, 260, horizon)
        layers.append(Layer(solid(size, (235, 240, 255)), night, 0.01))
    light = solid(size, palette.light)
    layers.append(Layer(light, glow(size, centre, span * 0.95, 0.55, 2.6), 0.02))
    layers.append(Layer(light, glow(size, centre, radius * 4.0, 0.6, 2.2), 0.02))

    def disc(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        (x, y), r = centre, radius
        box = [(x - r) * factor, (y - r) * factor, (x + r) * factor, (y + r) * factor]
        canvas.ellipse(box, fill=255)

    layers.append(Layer(light, drawn(size, disc), 0.02))
    veil = clouds(size, rng, 7, horizon * 0.25, horizon * 0.95)
    layers.append(Layer(solid(size, mix(low, (255, 255, 255), 0.45)), veil, 0.06))
    return layers


def _haze(size: Size, palette: Palette, height: float, strength: float) -> Layer:
    """A band of mist about a height (a part of the whole)."""
    column = Image.new("L", (1, 256))
    for y in range(256):
        distance = abs(y / 255 - height) / 0.13
        column.putpixel((0, y), round(255 * strength * math.exp(-distance * distance)))
    mist = mix(palette.sky[2], palette.light, 0.35)
    return Layer(solid(size, mist), column.resize(size, Image.Resampling.BICUBIC), 0.1)


def _mountains(rng: Random, palette: Palette, size: Size) -> list[Layer]:
    height = size[1]
    horizon, ridges = 0.66, 5
    layers = _sky(rng, palette, size, horizon)
    for index in range(ridges):
        part = index / (ridges - 1)
        base = height * (0.46 + 0.34 * part)
        rise = height * (0.2 - 0.11 * part)
        line = [base + rise * value for value in rugged(rng, 257, 0.52 + 0.03 * (1 - part))]
        colour = mix(palette.far, palette.near, part**0.85)
        crest = mix(colour, palette.sky[2], 0.34 * (1 - part))
        body = vertical_gradient(size, [(0.3, crest), (0.5 + 0.35 * part, colour), (1, colour)])
        mask = below(size, line)
        layers.append(Layer(body, mask, 0.12 + 0.7 * part))
        if index < 2:
            layers.append(_snow(rng, size, line, mask, palette, 0.12 + 0.7 * part))
        if index < ridges - 1:
            layers.append(_haze(size, palette, (base + rise) / height, 0.34 * (1 - part)))
    return layers


def _snow(
    rng: Random, size: Size, line: list[float], mask: Image.Image, palette: Palette, depth: float
) -> Layer:
    """Light on the flanks below the crest, deeper the higher the peak."""
    low, high = max(line), min(line)
    jagged = rugged(rng, len(line), 0.75)
    reach = (low - high) * 0.42
    edge = [
        y + max(0.0, (low - y) / max(1.0, low - high) - 0.35) * reach * (1 + 0.5 * j)
        for y, j in zip(line, jagged, strict=True)
    ]
    caps = ImageChops.subtract(mask, below(size, edge)).point(lambda value: int(value * 0.72))
    return Layer(solid(size, mix((255, 255, 255), palette.sky[2], 0.28)), caps, depth)


def _sea(rng: Random, palette: Palette, size: Size) -> list[Layer]:
    height = size[1]
    horizon = rng.uniform(0.5, 0.58)
    layers = _sky(rng, palette, size, horizon)
    shore = [
        height * (horizon - 0.012) - height * 0.05 * max(0.0, v) for v in rugged(rng, 129, 0.5)
    ]
    layers.append(
        Layer(solid(size, mix(palette.far, palette.sky[2], 0.3)), below(size, shore), 0.1)
    )
    deep = mix(palette.near, palette.sky[0], 0.6)
    water = vertical_gradient(
        size, [(0, palette.sky[2]), (horizon, mix(palette.sky[1], palette.sky[2], 0.4)), (1, deep)]
    )
    flat = below(size, [height * horizon] * 2)
    layers.append(Layer(water, flat, 0.14))
    layers.append(Layer(solid(size, palette.light), _glitter(rng, size, horizon), 0.2))
    for index in range(4):
        part = (index + 1) / 4
        swell = rolling(rng, 129, 2 + 2 * (1 - part))
        level = height * (horizon + (0.97 - horizon) * part**1.5)
        line = [level + height * 0.016 * (0.4 + part) * value for value in swell]
        colour = mix(mix(palette.sky[1], deep, 0.55), palette.near, part * 0.75)
        veil = below(size, line).point(lambda value: int(value * 0.55))
        layers.append(Layer(solid(size, colour), veil, 0.2 + 0.6 * part))
    layers.append(_boat(rng, size, horizon, palette))
    return layers


def _glitter(rng: Random, size: Size, horizon: float) -> Image.Image:
    """The light's path on the water."""
    width, height = size
    centre = rng.uniform(0.35, 0.65) * width

    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        for _ in range(420):
            part = rng.random() ** 1.7
            y = height * (horizon + 0.004 + (0.97 - horizon) * part)
            x = centre + rng.gauss(0, 0.035 + 0.12 * part) * width
            half = width * (0.004 + 0.028 * part) * rng.uniform(0.3, 1)
            thick = max(0.4, height * 0.0022 * (0.3 + part))
            box = [
                (x - half) * factor,
                (y - thick) * factor,
                (x + half) * factor,
                (y + thick) * factor,
            ]
            canvas.ellipse(box, fill=rng.randint(40, 200))

    return drawn(size, draw)


def _boat(rng: Random, size: Size, horizon: float, palette: Palette) -> Layer:
    width, height = size
    unit = min(width, height) * 0.055
    x, y = rng.uniform(0.2, 0.8) * width, height * (horizon + 0.1)

    def draw(canvas: ImageDraw.ImageDraw, factor: float) -> None:
        def polygon(*points: tuple[float, float]) -> None:
            canvas.polygon(
                [((x + a * unit) * factor, (y + b * unit) * factor) for a, b in points], fill=255
            )

        polygon((-1, 0), (1.1, 0), (0.75, 0.34), (-0.7, 0.34))
        polygon((0.06, -2.3), (0.06, -0.12), (1.0, -0.12))
        polygon((-0.06, -1.9), (-0.06, -0.12), (-0.8, -0.12))

    return Layer(solid(size, mix(palette.near, (0, 0, 0), 0.2)), drawn(size, draw), 0.45)


def _city(rng: Random, palette: Palette, size: Size) -> list[Layer]:
    width, height = size
    layers = _sky(rng, palette, size, 0.74)
    for index in range(3):
        part = index / 2
        colour = mix(mix(palette.far, palette.sky[2], 0.2), palette.near, 0.25 + 0.75 * part)
        towers = towers_of(rng, size, part)
        body = vertical_gradient(size, [(0.2, mix(colour, palette.sky[1], 0.25)), (1, colour)])
        layers.append(Layer(body, drawn(size, draw_towers(towers)), 0.15 + 0.35 * part))
        windows = drawn(size, draw_windows(rng, towers, min(width, height), part))
        lit = solid(size, mix(palette.light, (255, 214, 140), 0.5))
        layers.append(Layer(lit, windows, 0.15 + 0.35 * part))
        if index < 2:
            layers.append(_haze(size, palette, 0.78, 0.3))
    return layers


def _forest(rng: Random, palette: Palette, size: Size) -> list[Layer]:
    height = size[1]
    layers = _sky(rng, palette, size, 0.72)
    hills = [height * 0.5 + height * 0.07 * value for value in rolling(rng, 129, 1.4)]
    layers.append(
        Layer(solid(size, mix(palette.far, palette.sky[2], 0.45)), below(size, hills), 0.1)
    )
    rows = 4
    for index in range(rows):
        part = index / (rows - 1)
        ground = [
            height * (0.62 + 0.3 * part) + height * 0.03 * value
            for value in rolling(rng, 129, 1 + part)
        ]
        colour = mix(palette.far, palette.near, 0.15 + 0.85 * part)
        mask = drawn(size, draw_trees(rng, size, ground, part))
        mask = ImageChops.lighter(mask, below(size, ground))
        layers.append(Layer(solid(size, colour), mask, 0.15 + 0.7 * part))
        if index < rows - 1:
            layers.append(_haze(size, palette, 0.64 + 0.28 * part, 0.42 * (1 - part * 0.6)))
    return layers


def _desert(rng: Random, palette: Palette, size: Size) -> list[Layer]:
    height = size[1]
    layers = _sky(rng, palette, size, 0.62)
    for index in range(5):
        part = index / 4
        line = [
            height * (0.56 + 0.3 * part) + height * (0.045 + 0.05 * part) * value
            for value in rolling(rng, 257, 1.1 + 0.5 * (1 - part))
        ]
        sand = mix(mix(palette.far, palette.sky[2], 0.4), palette.near, part**1.1)
        sunny = mix(sand, palette.light, 0.42 - 0.2 * part)
        body = vertical_gradient(size, [(0.45, sunny), (0.66 + 0.3 * part, sand), (1, sand)])
        depth = 0.12 + 0.7 * part
        layers.append(Layer(body, below(size, line), depth))
        shade = [
            y + height * 0.004 + height * 0.06 * max(0.0, math.sin(i / 257 * 9 + index * 2.1))
            for i, y in enumerate(line)
        ]
        shadow = ImageChops.subtract(below(size, line), below(size, shade))
        soft = shadow.filter(ImageFilter.GaussianBlur(2)).point(lambda value: int(value * 0.42))
        layers.append(Layer(solid(size, mix(sand, palette.near, 0.6)), soft, depth))
    return layers


def _space(rng: Random, palette: Palette, size: Size) -> list[Layer]:
    width, height = size
    span = min(width, height)
    top, middle, low = palette.sky
    dark = mix(top, (0, 0, 0), 0.45)
    layers = [Layer(vertical_gradient(size, [(0, dark), (0.6, top), (1, mix(middle, dark, 0.4))]))]
    for colour, strength in ((middle, 0.6), (low, 0.5), (mix(low, palette.light, 0.5), 0.3)):
        for _ in range(3):
            centre = (rng.uniform(0, width), rng.uniform(0, height * 0.85))
            cloud = glow(size, centre, span * rng.uniform(0.42, 1.0), strength, 2.4)
            layers.append(Layer(solid(size, colour), cloud, 0.03))
    layers.append(Layer(solid(size, (240, 242, 255)), stars(size, rng, 520, 1.0), 0.04))
    spots = [(rng.uniform(0.1, 0.9) * width, rng.uniform(0.05, 0.7) * height) for _ in range(7)]
    layers += [
        Layer(solid(size, (255, 255, 255)), glow(size, spot, span * 0.026, 1, 3), 0.04)
        for spot in spots
    ]
    centre = (rng.uniform(0.34, 0.66) * width, rng.uniform(0.36, 0.5) * height)
    layers += planet(rng, palette, size, centre, span * rng.uniform(0.2, 0.26), ringed=True)
    side = (width * (0.16 if centre[0] > width / 2 else 0.84), height * rng.uniform(0.14, 0.26))
    layers += planet(rng, palette, size, side, span * rng.uniform(0.035, 0.06), ringed=False)
    return layers


_SCENES: Mapping[str, Callable[[Random, Palette, Size], list[Layer]]] = {
    "mountains": _mountains,
    "sea": _sea,
    "city": _city,
    "forest": _forest,
    "desert": _desert,
    "space": _space,
}
