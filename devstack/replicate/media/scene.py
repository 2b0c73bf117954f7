"""One file of any kind, from whatever inputs a model has."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PIL import Image, UnidentifiedImageError

from devstack.replicate.media import film, music, picture, speech
from devstack.replicate.media.documents import document
from devstack.replicate.media.request import Request
from devstack.replicate.media.sizes import FLUX, Size

_PICTURES = frozenset({"png", "jpg", "jpeg", "webp"})
_SOUNDS = frozenset({"wav", "mp3", "flac", "ogg"})
_SIZE = re.compile(r"(\d{2,4})\s*[x*]\s*(\d{2,4})")
_ADDRESS = re.compile(r"https?://|data:")
_TEXTS = ("prompt", "text", "texts", "input_text", "query", "question", "instruction", "caption")
_SPOKEN = ("text", "texts", "input_text", "gen_text", "lyrics")
_MAX_SIDE, _LONGEST_FILM, _LONGEST_SOUND = 1536, 12, 60
_GIF_SIDE = 256


@dataclass(frozen=True)
class Scene:
    """What a request is about. Values that no file could follow are brought into bounds."""

    request: Request

    @cached_property
    def text(self) -> str:
        """The prompt, or else the first text among the inputs."""
        asked = self.request.input
        named = (asked.get(name) for name in _TEXTS)
        texts = [_joined(value) for value in (*named, *asked.values())]
        return next((text for text in texts if text), self.request.model)

    @cached_property
    def source(self) -> Image.Image | None:
        """The first input file that is a picture."""
        for content in self.request.files.values():
            try:
                opened = Image.open(io.BytesIO(content))
                opened.draft("RGB", (1024, 1024))
                return opened.convert("RGB")
            except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
                continue
        return None

    def size(self, default: Size) -> Size:
        """From width and height, a size such as 1024x768, or an aspect ratio."""
        asked = self.request.input
        width, height = _whole(asked.get("width")), _whole(asked.get("height"))
        if width and height:
            return _within(width, height)
        for name in ("size", "image_size", "resolution", "aspect_ratio"):
            value = str(asked.get(name, ""))
            if match := _SIZE.search(value):
                return _within(int(match[1]), int(match[2]))
            if value in FLUX:
                scale = (default[0] * default[1] / (FLUX[value][0] * FLUX[value][1])) ** 0.5
                return _within(*(round(side * scale) for side in FLUX[value]))
        return default if self.source is None else _within(*self.source.size)

    def file(self, kind: str, index: int) -> bytes:
        """The content of output number `index`."""
        seed = self.request.seed + index
        if kind in _PICTURES:
            return self._picture("jpg" if kind == "jpeg" else kind, seed)
        if kind == "mp4":
            return self._film(seed)
        if kind == "gif":
            return self._animation(seed)
        return self._sound(kind, seed) if kind in _SOUNDS else document(kind, self.text, seed)

    def _picture(self, kind: str, seed: int) -> bytes:
        quality = _whole(self.request.input.get("output_quality")) or 90
        size = self.size((768, 768))
        return picture.render(self.text, seed, size, kind, min(100, quality), self.source, 0.5)

    def _film(self, seed: int) -> bytes:
        size, fps = self.size((640, 352)), min(60, self._number("fps", "frames_per_second") or 24)
        seconds = self._number("duration", "seconds", "length") or 3
        frames = self._number("num_frames", "frames") or min(_LONGEST_FILM, seconds) * fps
        frames = max(1, min(frames, _LONGEST_FILM * fps))
        return film.film(self.text, seed, size, frames=frames, fps=fps, first=self.source)

    def _animation(self, seed: int) -> bytes:
        width, height = self.size((_GIF_SIDE, _GIF_SIDE))
        scale = min(1.0, _GIF_SIDE / max(width, height))
        size = max(16, round(width * scale)), max(16, round(height * scale))
        contents = [
            picture.render(self.text, seed + n, size, "png", 90, self.source, 0.25 * n)
            for n in range(4)
        ]
        first, *others = (Image.open(io.BytesIO(content)) for content in contents)
        buffer = io.BytesIO()
        first.save(buffer, "GIF", save_all=True, append_images=others, duration=250, loop=0)
        return buffer.getvalue()

    def _sound(self, kind: str, seed: int) -> bytes:
        words = [text for text in (_joined(self.request.input.get(n)) for n in _SPOKEN) if text]
        if words:
            return speech.speak(words[0], str(self.request.input.get("voice", "")), seed).encoded(
                kind
            )
        seconds = min(_LONGEST_SOUND, self._number("duration", "seconds", "seconds_total") or 4)
        return music.compose(self.text, seed, seconds, rate=32_000, channels=2).encoded(kind)

    def _number(self, *names: str) -> int:
        """The first of these inputs that is a number above 0, else 0."""
        return next((n for n in map(_whole, map(self.request.input.get, names)) if n > 0), 0)


def number_of(asked: Mapping[str, Any], names: tuple[str, ...], most: int) -> int | None:
    """The first of these inputs that is a number above 0, at most `most`."""
    found = (_whole(asked.get(name)) for name in names)
    return next((min(each, most) for each in found if each > 0), None)


def _whole(value: object) -> int:
    try:
        return 0 if isinstance(value, bool) else round(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0


def _within(width: int, height: int) -> Size:
    """Sides of 64 to 1536 pixels in multiples of 8, in about the same ratio."""
    scale = min(1.0, _MAX_SIDE / max(width, height))
    return max(64, int(width * scale) // 8 * 8), max(64, int(height * scale) // 8 * 8)


def _joined(value: object) -> str:
    """A text, or the texts of a list; addresses are none."""
    texts = value if isinstance(value, list) else [value]
    return "\n".join(text for text in texts if isinstance(text, str) and not _ADDRESS.match(text))
