"""Moving pictures: a slow camera move over a still, as H.264 in MP4."""

import io
import math
from collections.abc import Iterator
from fractions import Fraction

import av
from PIL import Image, ImageOps

from devstack.replicate.media.caption import caption
from devstack.replicate.media.landscape import landscape
from devstack.replicate.media.request import chance
from devstack.replicate.media.sizes import Size

_PIXELS = 40_000_000  # more than this in a whole film is drawn smaller; the encoder scales it up


def shots(
    prompt: str,
    seed: int,
    size: Size,
    frames: int,
    source: Image.Image | None = None,
    motion: float = 0.6,
) -> Iterator[Image.Image]:
    """The frames of a camera move over `source` or the prompt's landscape, with the prompt on each.

    `motion` (0 to 1) is how far it goes.
    """
    scale = min(1.0, math.sqrt(_PIXELS / (size[0] * size[1] * frames)))
    drawn = width, height = round(size[0] * scale), round(size[1] * scale)
    still = ImageOps.fit(source, drawn) if source else landscape(prompt, seed, drawn)
    legend = caption(drawn, prompt, f"seed {seed}   {size[0]} x {size[1]}")
    rng, zoom = chance("camera", seed), 0.06 + 0.3 * motion
    x, y = rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.75)
    for index in range(frames):
        part = index / max(1, frames - 1)
        gone = zoom * part * part * (3 - 2 * part)  # slow at both ends
        left, top = width * gone * x, height * gone * y
        box = (left, top, left + width * (1 - gone), top + height * (1 - gone))
        shot = still.resize(drawn, Image.Resampling.BILINEAR, box)
        if prompt:
            shot.paste(legend, (0, height - legend.height), legend)
        yield shot


def film(pictures: Iterator[Image.Image], size: Size, fps: int) -> bytes:
    """The pictures as a video of this size, 4:2:0, `fps` a second."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        options = {"preset": "ultrafast", "crf": "26"}
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height = size[0] // 2 * 2, size[1] // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 2
        stream.codec_context.time_base = Fraction(1, fps)
        for index, picture in enumerate(pictures):
            frame: av.VideoFrame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame = frame.reformat(stream.width, stream.height, "yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
