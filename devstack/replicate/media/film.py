"""Moving pictures: H.264 in MP4, from a picture or from a prompt."""

import io
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
from PIL import Image, ImageOps

from devstack.replicate.media.landscape import landscape
from devstack.replicate.media.picture import caption
from devstack.replicate.media.request import chance
from devstack.replicate.media.sizes import Size

_PIXELS = 50_000_000  # more than this in a whole film is drawn smaller and scaled up
_MARGIN = 0.2


def animate(
    picture: Image.Image, seed: int, size: Size, *, frames: int, fps: int, motion: float
) -> bytes:
    """A camera move over a still: the more `motion` (0 to 1), the farther it goes."""
    rng, (width, height) = chance("camera", seed), size
    still = ImageOps.fit(picture, (width * 5 // 4, height * 5 // 4), Image.Resampling.BICUBIC)
    zoom = 0.06 + 0.3 * motion
    x, y = rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.75)

    def shots() -> Iterator[Image.Image]:
        for index in range(frames):
            gone = zoom * _ease(index / max(1, frames - 1))
            across, down = still.width * gone, still.height * gone
            box = (
                across * x,
                down * y,
                still.width - across * (1 - x),
                still.height - down * (1 - y),
            )
            yield still.resize(size, Image.Resampling.BILINEAR, box)

    return _encoded(shots(), size, fps)


def film(
    prompt: str, seed: int, size: Size, *, frames: int, fps: int, first: Image.Image | None = None
) -> bytes:
    """The prompt's landscape in parallax; it grows out of the `first` frame if there is one."""
    scale = min(1.0, math.sqrt(_PIXELS / (size[0] * size[1] * frames)))
    width, height = round(size[0] * scale), round(size[1] * scale)
    room = round(width * _MARGIN)
    planes = list(landscape(prompt, seed, (width + room, height)))
    legend = caption((width, height), prompt, f"seed {seed}   {size[0]} x {size[1]}")
    opening = first and ImageOps.fit(first, (width, height), Image.Resampling.BICUBIC)

    def shots() -> Iterator[Image.Image]:
        for index in range(frames):
            part = index / max(1, frames - 1)
            shot = Image.new("RGB", (width, height))
            for plane in planes:  # near ones travel the whole margin, far ones less
                left = round(room * (0.5 + (_ease(part) - 0.5) * (0.25 + 0.75 * plane.depth)))
                box = (left, 0, left + width, plane.picture.height)
                mask = plane.mask and plane.mask.crop(box)
                shot.paste(plane.picture.crop(box), (0, height - plane.picture.height), mask)
            if opening is not None and part < 0.5:
                shot = Image.blend(opening, shot, _ease(part * 2))
            shot.paste(legend, (0, height - legend.height), legend)
            yield shot

    return _encoded(shots(), size, fps)


def _encoded(shots: Iterable[Image.Image], size: Size, fps: int) -> bytes:
    """H.264, 4:2:0."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        options = {"preset": "superfast", "crf": "22"}
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height = size[0] // 2 * 2, size[1] // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 2
        stream.codec_context.time_base = Fraction(1, fps)
        for index, shot in enumerate(shots):
            frame: av.VideoFrame = av.VideoFrame.from_image(shot)  # type: ignore[no-untyped-call]
            frame = frame.reformat(stream.width, stream.height, "yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _ease(part: float) -> float:
    return part * part * (3 - 2 * part)
