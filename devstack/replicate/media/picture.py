"""Pictures: a landscape that follows the prompt, with the prompt written under it."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, ImageOps

from devstack.replicate.media.landscape import landscape
from devstack.replicate.media.lettering import lettering, wrapped
from devstack.replicate.media.sizes import Size

_LONGEST = 600  # letters; fewer fit


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
    picture = Image.blend(fitted, _painted(prompt, seed, size), strength)
    return _finished(picture, prompt, seed, kind, quality)


@lru_cache(maxsize=16)
def _rendered(prompt: str, seed: int, size: Size, kind: str, quality: int) -> bytes:
    """Remembered: load tests ask for the same picture over and over."""
    return _finished(_painted(prompt, seed, size), prompt, seed, kind, quality)


def _painted(prompt: str, seed: int, size: Size) -> Image.Image:
    picture = Image.new("RGB", size)
    for plane in landscape(prompt, seed, size):
        picture.paste(plane.picture, (0, size[1] - plane.picture.height), plane.mask)
    return picture


def _finished(picture: Image.Image, prompt: str, seed: int, kind: str, quality: int) -> bytes:
    """With its caption, as a file; `kind` is webp, jpg or png, `quality` 0 to 100."""
    legend = caption(picture.size, prompt, f"seed {seed}   {picture.width} x {picture.height}")
    picture.paste(legend, (0, picture.height - legend.height), legend)
    buffer = io.BytesIO()
    if kind == "png":
        picture.save(buffer, "PNG", compress_level=1)
    elif kind == "jpg":
        picture.save(buffer, "JPEG", quality=max(1, quality))
    else:
        picture.save(buffer, "WEBP", quality=quality, method=1)
    return buffer.getvalue()


def caption(size: Size, prompt: str, note: str) -> Image.Image:
    """The prompt as a strip for the lower edge, on a shadow that keeps it readable."""
    width, height = size
    text = max(13.0, min(width, height) * 0.042)
    margin, line, small = text * 1.25, text * 1.24, ImageFont.load_default(text * 0.5)
    shown = "".join(c if c.isprintable() else " " for c in prompt[:_LONGEST]).strip() or "no prompt"
    font = lettering(frozenset(shown), text)
    lines = wrapped(shown, font, width - 2 * margin)
    below = text * 0.95 + margin  # the last line
    tall = min(height, round(line * len(lines) + below + text * 2.6))
    top = tall - below - line * len(lines)
    strip = Image.new("RGBA", (width, tall), (6, 8, 18, 255))
    ramp = Image.linear_gradient("L").point([int((v / 255) ** 0.8 * 215) for v in range(256)])
    strip.putalpha(ramp.resize((width, tall)))
    draw = ImageDraw.Draw(strip)
    draw.rectangle([margin, top - text * 0.62, margin + text * 1.7, top - text * 0.5], fill="white")
    for index, words_of_line in enumerate(lines):
        draw.text((margin, top + index * line), words_of_line, font=font, fill="white")
    draw.text((margin, tall - below + text * 0.28), note, font=small, fill=(214, 218, 228))
    return strip
