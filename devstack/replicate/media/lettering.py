"""Words on a picture: a font that has their letters, and lines that are not too long."""

from contextlib import suppress
from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_LINES = 3
_SYSTEM_FONTS = ("NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "DejaVuSans.ttf", "segoeui.ttf")


@lru_cache(maxsize=16)
def lettering(letters: frozenset[str], height: float) -> Font:
    """The font with the most of these letters: Pillow's own, which has few, or one of the system's."""
    fonts: list[Font] = [ImageFont.load_default(height)]
    for name in () if all(letter.isascii() for letter in letters) else _SYSTEM_FONTS:
        with suppress(OSError):
            fonts.append(ImageFont.truetype(name, height))
    return max(fonts, key=lambda font: sum(_has(font, letter) for letter in letters))


def _has(font: Font, letter: str) -> bool:
    return bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))


def wrapped(text: str, font: Font, width: float) -> list[str]:
    """The text in at most three lines of this width in pixels; what does not fit ends in an ellipsis."""
    lines, words = [""], text.split()
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < _LINES:
            lines.append(word)
        else:
            lines[-1] += "…"
            break
    return [_cut(line, font, width) for line in lines]


def _cut(line: str, font: Font, width: float) -> str:
    while len(line) > 1 and font.getlength(line) > width:
        line = line[:-2] + "…"
    return line
