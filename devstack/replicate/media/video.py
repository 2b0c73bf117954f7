"""Moving pictures: H.264 in MP4, from a picture or from a prompt."""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import av
from PIL import Image, ImageChops, ImageOps

from devstack.replicate.media.chance import chance
from devstack.replicate.media.image import caption_overlay, flatten
from devstack.replicate.media.scenes import scene
from devstack.replicate.media.shapes import Layer, Size

_PIXELS = 50_000_000  # more than this in a whole film is drawn smaller and scaled up
_MARGIN = 0.14
_DEPTHS = (0.1, 0.3, 0.6)


def animate(
    picture: Image.Image, size: Size, *, frames: int, fps: int, motion: float, seed: int
) -> bytes:
    """A camera move over a still: the more `motion` (0 to 1), the farther it goes."""
    rng, (width, height) = chance("camera", seed), size
    still = ImageOps.fit(picture, (width * 5 // 4, height * 5 // 4), Image.Resampling.BICUBIC)
    zoom = 0.06 + 0.3 * motion
    towards = rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.75)

    def shots() -> Iterator[Image.Image]:
        for index in range(frames):
            kept = 1 - zoom * _ease(index / max(1, frames - 1))
            box_width, box_height = still.width * kept, still.height * kept
            left, top = (
                (still.width - box_width) * towards[0],
                (still.height - box_height) * towards[1],
            )
            box = (left, top, left + box_width, top + box_height)
            yield still.resize(size, Image.Resampling.BILINEAR, box)

    return encode(shots(), size, fps)


def film(
    prompt: str, seed: int, size: Size, *, frames: int, fps: int, first: Image.Image | None = None
) -> bytes:
    """The prompt's landscape in parallax; it grows out of the `first` frame if there is one."""
    scale = min(1.0, math.sqrt(_PIXELS / (size[0] * size[1] * frames)))
    drawn = round(size[0] * scale), round(size[1] * scale)
    wide = round(drawn[0] * (1 + _MARGIN)), drawn[1]
    layers = _grouped(scene(prompt, seed, wide))
    legend = caption_overlay(drawn, prompt, f"seed {seed}", size)
    opening = None if first is None else ImageOps.fit(first, drawn, Image.Resampling.BICUBIC)

    def shots() -> Iterator[Image.Image]:
        room = wide[0] - drawn[0]
        for index in range(frames):
            part = index / max(1, frames - 1)
            shot = _shot(layers, drawn, room, part)
            if opening is not None and part < 0.5:
                shot = Image.blend(opening, shot, _ease(part * 2))
            shot.paste(legend, (0, drawn[1] - legend.height), legend)
            yield shot

    return encode(shots(), size, fps)


def encode(shots: Iterable[Image.Image], size: Size, fps: int) -> bytes:
    """H.264, 4:2:0."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=fps, options={"preset": "superfast", "crf": "22"}
        )
        stream.width, stream.height = size[0] // 2 * 2, size[1] // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 2
        stream.codec_context.time_base = Fraction(1, fps)
        for index, shot in enumerate(shots):
            frame = _frame(shot).reformat(stream.width, stream.height, "yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _frame(shot: Image.Image) -> av.VideoFrame:
    frame: av.VideoFrame = av.VideoFrame.from_image(shot)  # type: ignore[no-untyped-call]
    return frame


def _shot(layers: Sequence[Layer], size: Size, room: int, part: float) -> Image.Image:
    """Near layers travel the whole margin, far ones hardly move."""
    shot = Image.new("RGB", size)
    for layer in layers:
        left = round(room * (0.5 + (_ease(part) - 0.5) * (0.1 + 0.9 * layer.depth)))
        box = (left, 0, left + size[0], layer.colour.height)
        mask = None if layer.mask is None else layer.mask.crop(box)
        shot.paste(layer.colour.crop(box), (0, size[1] - layer.colour.height), mask)
    return shot


def _grouped(layers: Sequence[Layer]) -> list[Layer]:
    """Layers of about the same depth as one, so that a frame takes few of them."""
    groups: list[list[Layer]] = [[]]
    for layer in layers:
        bounds = [limit for limit in _DEPTHS if groups[-1] and groups[-1][0].depth < limit]
        if groups[-1] and layer.depth >= min(bounds, default=2.0):
            groups.append([])
        groups[-1].append(layer)
    return [_merged(group) for group in groups]


def _merged(group: Sequence[Layer]) -> Layer:
    """One layer, without the empty rows above: it stands on the lower edge."""
    colour, mask = flatten(group), group[0].mask
    for layer in group[1:]:
        if mask is not None and layer.mask is not None:
            mask = ImageChops.screen(mask, layer.mask)
    depth = max(layer.depth for layer in group)
    if mask is None or (filled := mask.getbbox()) is None:
        return Layer(colour, mask, depth)
    rows = (0, filled[1], *colour.size)
    return Layer(colour.crop(rows), mask.crop(rows), depth)


def _ease(part: float) -> float:
    return part * part * (3 - 2 * part)
