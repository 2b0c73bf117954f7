"""Pictures: a landscape the prompt chooses, with the prompt written under it."""

import io
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, ImageOps

from devstack.replicate.media.scenes import scene
from devstack.replicate.media.shapes import Layer, Size

_LINES = 3


def render(
    prompt: str,
    seed: int,
    size: Size,
    kind: str,
    quality: int,
    source: Image.Image | None = None,
    strength: float = 1.0,
) -> bytes:
    """One picture in the format asked for; `strength` 1 leaves nothing of the `source` picture."""
    if source is None:
        return _rendered(prompt, seed, size, kind, quality)
    fitted = ImageOps.fit(source, size, Image.Resampling.BICUBIC)
    picture = Image.blend(fitted, flatten(scene(prompt, seed, size)), strength)
    return _finished(picture, prompt, seed, kind, quality)


@lru_cache(maxsize=16)
def _rendered(prompt: str, seed: int, size: Size, kind: str, quality: int) -> bytes:
    """Remembered: load tests ask for the same picture over and over."""
    return _finished(flatten(scene(prompt, seed, size)), prompt, seed, kind, quality)


def _finished(picture: Image.Image, prompt: str, seed: int, kind: str, quality: int) -> bytes:
    legend = caption_overlay(picture.size, prompt, f"seed {seed}")
    picture.paste(legend, (0, picture.height - legend.height), legend)
    return encode(picture, kind, quality)


def flatten(layers: Sequence[Layer]) -> Image.Image:
    picture = layers[0].colour.copy()
    for layer in layers[1:]:
        picture.paste(layer.colour, (0, 0), layer.mask)
    return picture


def encode(picture: Image.Image, kind: str, quality: int) -> bytes:
    """`kind` is webp, jpg or png; `quality` 0 to 100."""
    buffer = io.BytesIO()
    if kind == "png":
        picture.save(buffer, "PNG", compress_level=1)
    elif kind == "jpg":
        picture.save(buffer, "JPEG", quality=max(1, quality))
    else:
        picture.save(buffer, "WEBP", quality=quality, method=1)
    return buffer.getvalue()


def caption_overlay(size: Size, prompt: str, note: str, shown: Size | None = None) -> Image.Image:
    """The prompt as a strip for the lower edge, on a shadow that keeps it readable.

    `shown` is the size the note speaks of, when the picture is going to be scaled.
    """
    width, height = size
    text = max(13.0, min(width, height) * 0.042)
    margin, font, small = (
        text * 1.25,
        ImageFont.load_default(text),
        ImageFont.load_default(text * 0.5),
    )
    lines = wrapped(prompt or "no prompt", font, width - 2 * margin)
    block = text * 1.24 * len(lines)
    tall = min(height, round(block + text * 0.95 + margin + text * 2.6))
    top = tall - margin - block - text * 0.95
    strip = Image.new("RGBA", (width, tall), (6, 8, 18, 255))
    ramp = Image.linear_gradient("L").point([int((v / 255) ** 0.8 * 215) for v in range(256)])
    strip.putalpha(ramp.resize((width, tall)))
    draw = ImageDraw.Draw(strip)
    draw.rectangle([margin, top - text * 0.62, margin + text * 1.7, top - text * 0.5], fill="white")
    for index, line in enumerate(lines):
        draw.text((margin, top + index * text * 1.24), line, font=font, fill="white")
    across, down = shown or size
    detail = f"{note}   {across} x {down}"
    draw.text((margin, top + block + text * 0.28), detail, font=small, fill=(214, 218, 228))
    return strip


def wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float
) -> list[str]:
    """The text in at most three lines of this width in pixels; what does not fit ends in an ellipsis."""
    lines, words = [""], " ".join(text.split()).split(" ")
    for position, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < _LINES:
            lines.append(word)
        else:
            lines[-1] += "…" if position < len(words) else ""
            break
    return [_cut(line, font, width) for line in lines]


def _cut(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    while len(line) > 1 and font.getlength(line) > width:
        line = line[:-2] + "…"
    return line
