"""The caption of a picture: the prompt in a font that has its letters, a note below it."""

from bisect import bisect
from contextlib import suppress
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from devstack.replicate.media.sizes import Size

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_LONGEST = 600  # letters; fewer fit
_LINES = 3
_SYSTEM_FONTS = ("NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "DejaVuSans.ttf", "segoeui.ttf")


def caption(size: Size, prompt: str, note: str) -> Image.Image:
    """A strip for the lower edge of a picture: white on a shadow that keeps it readable."""
    text = max(13.0, min(size) * 0.042)
    margin, line = text * 1.25, text * 1.24
    shown = "".join(c if c.isprintable() else " " for c in prompt[:_LONGEST]).strip() or "no prompt"
    font = lettering(frozenset(shown), text)
    lines = wrapped(shown, font, size[0] - 2 * margin)
    height = min(size[1], round(line * (len(lines) + 4)))
    strip = Image.new("RGBA", (size[0], height), "#060812")
    strip.putalpha(Image.linear_gradient("L").point(lambda v: v * 0.85).resize(strip.size))
    draw, below = ImageDraw.Draw(strip), height - margin - text
    for index, words in enumerate(lines):
        draw.text((margin, below - line * (len(lines) - index)), words, "white", font)
    draw.text((margin, below + text * 0.3), note, "#d6dae4", ImageFont.load_default(text * 0.5))
    return strip


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
    """The text in at most three lines of this width in pixels, broken at spaces where there are any.

    If not all of it fits, the last line ends in an ellipsis.
    """
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest and len(lines) < _LINES:
        fits = bisect(range(1, len(rest) + 1), width, key=lambda n: font.getlength(rest[:n]))
        space = rest.rfind(" ", 0, fits + 1)
        end = space if fits < len(rest) and space > 0 else max(1, fits)
        lines.append(rest[:end])
        rest = rest[end:].lstrip()
    if rest:
        lines[-1] = lines[-1][:-2] + "…"
    return lines
