"""A landscape: the sky with its sun, and three ridges that rise from mist."""

import math
import re
from random import Random

from PIL import Image, ImageChops, ImageColor, ImageDraw

from devstack.replicate.media.request import chance
from devstack.replicate.media.sizes import Size

# The words that choose it; the sky above, half way and at the horizon, the sun, the land.
_PALETTES = [
    line.split(";")
    for line in """\
sunset|dusk|evening|golden|warm;#2b1b5a #b0447c #ff9a5c #ffe3a3 #1c1238
dawn|sunrise|morning|pastel;#4f7cac #f2a6a0 #ffe0b5 #fff6df #3a3050
neon|cyber|retro|tokyo|robot|city|street;#12062e #5a1a8c #ff3fa4 #7ff4ff #0a0418
space|galax|planet|astronaut|moon|night|dark|star;#050b24 #132a5e #3f5fa0 #eef3ff #050916
fire|lava|volcan|dragon|autumn;#2a0d16 #8c1f2b #ff7a3a #ffd08a #190810
desert|dune|sand|camel|pyramid|mars;#3c6ea0 #f0b98a #ffe2b0 #fff6d8 #6a3a2c
forest|wood|jungle|tree|garden|fox|deer|bear|owl;#1f4f4a #7fae8a #eef2c8 #fffce0 #10261f
sea|ocean|lake|beach|wave|island|ship|boat|coast;#0d4f5c #4fb3a5 #e8f6d0 #fffbe0 #0c3038
mountain|peak|snow|winter|valley|ice;#1e6fc2 #6cb6ee #d5efff #fffdf0 #173a52
""".splitlines()
]
# From far to near: where its peaks end and how far it falls, in heights of the picture; its opacity.
_RIDGES = ((0.4, 0.26, 102), (0.55, 0.2, 178), (0.72, 0.14, 255))
_WAVES = (0.7, 1.5, 3, 7, 16, 37)  # in a ridge's outline
_POINTS = 240


def landscape(prompt: str, seed: int, size: Size) -> Image.Image:
    """The prompt decides on the colours, prompt and seed how the land lies."""
    rng, (width, height) = chance(prompt, seed), size
    above, middle, horizon, light, land = _palette(prompt)
    sky = bytes((*above, *middle, *horizon, *horizon))
    picture = _stretched(Image.frombytes("RGB", (1, 4), sky), size)
    radius = max(1, round(min(size) * rng.uniform(0.05, 0.08)))
    x, y = round(rng.uniform(0.2, 0.8) * width), round(rng.uniform(0.2, 0.38) * height)
    glow = Image.radial_gradient("L").point(lambda v: 140 * max(0, 1 - v / 178) ** 2)
    glow = glow.resize((16 * radius, 16 * radius), Image.Resampling.BILINEAR)
    picture.paste(light, (x - 8 * radius, y - 8 * radius), glow)
    disc = Image.new("L", (4 * radius, 4 * radius))
    ImageDraw.Draw(disc).ellipse((0, 0, 4 * radius - 1, 4 * radius - 1), 255)
    picture.paste(light, (x - radius, y - radius), disc.reduce(2))
    for top, fall, opacity in _RIDGES:
        start = int(height * top)
        ridge = _ridge(rng, (width, height - start), height * fall, opacity)
        picture.paste(land, (0, start), ridge)
    return picture


def _stretched(column: Image.Image, size: Size) -> Image.Image:
    """A column of pixels as a gradient of this size."""
    smooth = column.resize((1, size[1]), Image.Resampling.BICUBIC)
    return smooth.resize(size, Image.Resampling.NEAREST)


def _ridge(rng: Random, size: Size, fall: float, opacity: int) -> Image.Image:
    """A mask, drawn large and reduced; its outline falls by `fall` pixels, mist lies at its foot."""
    width, height = 2 * size[0], 2 * size[1]
    waves = [(k * rng.uniform(0.7, 1.3), rng.uniform(0, math.tau), 0.5 / k) for k in _WAVES]
    outline = []
    for part in (i / _POINTS for i in range(_POINTS + 1)):
        depth = sum(share * abs(math.sin(k * part * math.tau + phase)) for k, phase, share in waves)
        outline.append((width * part, 2 * fall * depth))
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon([(0, height), *outline, (width, height)], opacity)
    mist = Image.linear_gradient("L").crop((0, 0, 1, 256)).point(lambda v: 255 - v / 2)
    return ImageChops.multiply(mask.reduce(2), _stretched(mist, size))


def _palette(prompt: str) -> list[tuple[int, ...]]:
    """The colours whose words come first in the table, else some by the prompt's hash."""
    said = prompt.lower()
    fitting = [colours for words, colours in _PALETTES if re.search(rf"\b(?:{words})", said)]
    colours = (fitting or [chance("palette", prompt).choice(_PALETTES)[1]])[0]
    return [ImageColor.getrgb(colour) for colour in colours.split()]
