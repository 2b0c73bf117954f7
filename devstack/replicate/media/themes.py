"""What the words of a prompt say about its picture: colours, and what stands on the horizon."""

import re

from devstack.replicate.media.request import chance

Colour = tuple[int, int, int]

# Words; the sky from top to horizon, the light in it, land far away and near; the land's outline.
# The time of day counts for more than the things one sees in it, so it comes first.
_THEMES = [
    line.split(";")
    for line in """\
aurora|northern lights;04121f 0b4a55 3fd0a0 d9fff0 1c6a6e 03141c;
sunset|dusk|evening|golden hour|warm;2b1b5a b0447c ff9a5c ffe3a3 c4647a 1c1238;
dawn|sunrise|morning|pastel;4f7cac f2a6a0 ffe0b5 fff6df d89a9e 3a3050;
neon|cyber|synth|retro|tokyo|robot;12062e 5a1a8c ff3fa4 7ff4ff 7a2ba8 0a0418;towers
space|galax|planet|cosm|nebula|astronaut|moon|alien;04030f 1a0f3a 4a2a7a ffe9c4 5a3a92 070414;planet
night|midnight|dark;050b24 132a5e 3f5fa0 eef3ff 2f4a86 050916;
city|cities|street|skyline|town|building;24406e 8a86b8 ffc9a0 fff0d0 7a7aa8 141a34;towers
fire|lava|volcan|ember|dragon;2a0d16 8c1f2b ff7a3a ffd08a a83a36 190810;peaks
desert|dune|sand|sahara|camel|pyramid|mars;3c6ea0 f0b98a ffe2b0 fff6d8 e2a878 6a3a2c;hills
forest|wood|jungle|tree|garden|fox|deer|bear|owl;1f4f4a 7fae8a eef2c8 fffce0 6d9a7c 10261f;trees
sea|ocean|lake|beach|wave|island|ship|boat|sail|coast;0d4f5c 4fb3a5 e8f6d0 fffbe0 6fb7a0 0c3038;waves
flower|lavender|dream|unicorn|fairy|magic;3b2f73 9a7fd0 f6cfe6 fff3f7 a88cc8 251a44;hills
mountain|alps?|peak|snow|winter|valley|canyon;1e6fc2 6cb6ee d5efff fffdf0 86b6d8 173a52;peaks
""".splitlines()
]


def theme(prompt: str) -> tuple[list[Colour], str]:
    """Six colours and an outline: those of the first rules that fit, else by the prompt's hash."""
    fitting = [rule for rule in _THEMES if re.search(rf"\b(?:{rule[0]})", prompt.lower())]
    by_hash = chance("theme", prompt)
    colours = (fitting or [by_hash.choice(_THEMES)])[0][1]
    outlines = [outline for _, _, outline in fitting if outline]
    outline = (outlines or [by_hash.choice(("peaks", "hills", "trees", "waves"))])[0]
    return [_rgb(*bytes.fromhex(colour)) for colour in colours.split()], outline


def mix(first: Colour, second: Colour, part: float) -> Colour:
    """`part` 0 gives the first colour, 1 the second."""
    return _rgb(*(round(a + (b - a) * part) for a, b in zip(first, second, strict=True)))


def _rgb(red: int, green: int, blue: int) -> Colour:
    return red, green, blue
