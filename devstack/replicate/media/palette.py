"""Colours of a picture, chosen by what its prompt says and else by the prompt's hash."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """Sky from top to horizon, the light in it, haze far away, ground near the viewer."""

    sky: tuple[Colour, Colour, Colour]
    light: Colour
    far: Colour
    near: Colour
    night: bool = False


def _hex(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _palette(colours: str, *, night: bool = False) -> Palette:
    top, middle, horizon, light, far, near = (_hex(colour) for colour in colours.split())
    return Palette((top, middle, horizon), light, far, near, night)


PALETTES: Mapping[str, Palette] = {
    "dusk": _palette("2b1b5a b0447c ff9a5c ffe3a3 c4647a 1c1238"),
    "dawn": _palette("4f7cac f2a6a0 ffe0b5 fff6df d89a9e 3a3050"),
    "night": _palette("050b24 132a5e 3f5fa0 eef3ff 2f4a86 050916", night=True),
    "aurora": _palette("04121f 0b4a55 3fd0a0 d9fff0 1c6a6e 03141c", night=True),
    "noon": _palette("1e6fc2 6cb6ee d5efff fffdf0 86b6d8 173a52"),
    "mint": _palette("0d4f5c 4fb3a5 e8f6d0 fffbe0 6fb7a0 0c3038"),
    "ember": _palette("2a0d16 8c1f2b ff7a3a ffd08a a83a36 190810"),
    "neon": _palette("12062e 5a1a8c ff3fa4 7ff4ff 7a2ba8 0a0418", night=True),
    "sand": _palette("3c6ea0 f0b98a ffe2b0 fff6d8 e2a878 6a3a2c"),
    "forest": _palette("1f4f4a 7fae8a eef2c8 fffce0 6d9a7c 10261f"),
    "lavender": _palette("3b2f73 9a7fd0 f6cfe6 fff3f7 a88cc8 251a44"),
    "cosmos": _palette("04030f 1a0f3a 4a2a7a ffe9c4 5a3a92 070414", night=True),
}

_WORDS: Sequence[tuple[str, str]] = (
    ("aurora", r"aurora|northern lights"),
    ("dusk", r"sunset|dusk|evening|golden hour|warm"),
    ("dawn", r"dawn|sunrise|morning|pastel"),
    ("neon", r"neon|cyber\w*|synth\w*|retro|tokyo|vapou?r\w*"),
    ("cosmos", r"space|galax\w*|planet\w*|cosm\w*|nebula|astronaut|stars?|rocket|moon"),
    ("night", r"night|midnight|dark"),
    ("ember", r"fire|lava|volcan\w*|ember|red|dragon"),
    ("sand", r"desert|dune\w*|sand|sahara"),
    ("forest", r"forest|wood\w*|jungle|tree\w*|green|garden"),
    ("mint", r"sea|ocean|lake|river|beach|wave\w*|water|island|ship|boat"),
    ("lavender", r"flower\w*|lavender|dream\w*|unicorn\w*|fairy|magic\w*"),
    ("noon", r"sky|summer|day|blue|snow\w*|winter|alps?"),
)


def palette_for(prompt: str) -> Palette:
    """The time of day counts for more than the things one sees in it: the first rule that fits wins."""
    fitting = (name for name, pattern in _WORDS if find(pattern, prompt))
    return PALETTES[next(fitting, None) or pick(prompt, "palette", sorted(PALETTES))]


def find(pattern: str, prompt: str) -> re.Match[str] | None:
    """The first whole words of the prompt that fit."""
    return re.search(rf"\b(?:{pattern})\b", prompt.lower())


def first_match(prompt: str, words: Sequence[tuple[str, str]]) -> str | None:
    """The name whose words occur earliest in the prompt."""
    found: list[tuple[int, str]] = []
    for name, pattern in words:
        if match := find(pattern, prompt):
            found.append((match.start(), name))
    return min(found)[1] if found else None


def pick(prompt: str, what: str, among: Sequence[str]) -> str:
    digest = sha256(f"{what}\0{prompt}".encode()).digest()
    return among[int.from_bytes(digest[:4]) % len(among)]


def mix(first: Colour, second: Colour, part: float) -> Colour:
    """`part` 0 gives the first colour, 1 the second."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return red, green, blue
