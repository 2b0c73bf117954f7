"""Pictures: a landscape that follows the prompt, with the prompt written under it."""

import io
from functools import lru_cache

from PIL import Image, ImageOps

from devstack.replicate.media.caption import caption
from devstack.replicate.media.landscape import landscape
from devstack.replicate.media.sizes import Size


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
    picture = Image.blend(fitted, landscape(prompt, seed, size), strength)
    return _finished(picture, prompt, seed, kind, quality)


@lru_cache(maxsize=16)
def _rendered(prompt: str, seed: int, size: Size, kind: str, quality: int) -> bytes:
    """Remembered: load tests ask for the same picture over and over."""
    return _finished(landscape(prompt, seed, size), prompt, seed, kind, quality)


def _finished(picture: Image.Image, prompt: str, seed: int, kind: str, quality: int) -> bytes:
    """With its caption, as a file; `kind` is webp, jpg, png or pdf, `quality` 0 to 100."""
    legend = caption(picture.size, prompt, f"seed {seed}   {picture.width} x {picture.height}")
    picture.paste(legend, (0, picture.height - legend.height), legend)
    buffer = io.BytesIO()
    picture.save(
        buffer,
        "JPEG" if kind == "jpg" else kind,
        quality=max(1, quality),
        method=1,  # of WebP
        compress_level=1,  # of PNG
        creationDate=None,  # of PDF
        modDate=None,
    )
    return buffer.getvalue()
