"""One file of any kind, from whatever inputs a model has."""

import io
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from devstack.replicate.media.documents import document
from devstack.replicate.media.film import film, shots
from devstack.replicate.media.picture import render
from devstack.replicate.media.request import ModelFailed, Request
from devstack.replicate.media.sizes import Size
from devstack.replicate.media.sound import music, spoken_seconds

_SIZE = re.compile(r"([1-9]\d{0,3})\s*[x*:]\s*([1-9]\d{0,3})")
_ADDRESS = re.compile(r"https?://|data:")
_SPOKEN = ("text", "texts", "input_text", "gen_text", "lyrics")
_TEXTS = ("prompt", *_SPOKEN, "query", "question", "instruction", "caption")
_MIN_SIDE, _MAX_SIDE = 64, 1536
_LONGEST_FILM, _LONGEST_SOUND = 12, 60  # seconds


@dataclass(frozen=True)
class Scene:
    """What a request is about. Values that no file could follow are brought into bounds."""

    request: Request

    @cached_property
    def text(self) -> str:
        """The prompt, or else the first text among the inputs."""
        return self._first_text(*_TEXTS, *self.request.input) or self.request.model

    @cached_property
    def source(self) -> Image.Image | None:
        """The first input file that is a picture."""
        for name in self.request.files:
            with suppress(ModelFailed):
                return self.request.picture(name)
        return None

    def number(self, *names: str) -> int:
        """The first of these inputs that is a number above 0, else 0."""
        return next((n for n in map(_whole, map(self.request.input.get, names)) if n > 0), 0)

    def file(self, kind: str, index: int) -> bytes:
        """The content of output number `index`."""
        seed = self.request.seed + index
        match kind:
            case "png" | "jpg" | "jpeg" | "webp" | "pdf":
                size, quality = self._size((768, 768)), self.number("output_quality") or 90
                return render(self.text, seed, size, kind, min(100, quality), self.source, 0.5)
            case "gif":
                return self._animation(seed)
            case "mp4":
                return self._film(seed)
            case "wav" | "mp3" | "flac" | "ogg":
                return self._sound(kind, seed)
        return document(kind, self.text, seed)

    def _film(self, seed: int) -> bytes:
        size, fps = self._size((640, 352)), min(60, self.number("fps", "frames_per_second") or 24)
        seconds = self.number("duration", "seconds", "length") or 3
        frames = min(self.number("num_frames", "frames") or seconds * fps, _LONGEST_FILM * fps)
        return film(shots(self.text, seed, size, frames, self.source), size, fps)

    def _animation(self, seed: int) -> bytes:
        buffer = io.BytesIO()
        first, *others = shots(self.text, seed, self._size((256, 256)), 4, self.source)
        first.save(buffer, "GIF", save_all=True, append_images=others, duration=250, loop=0)
        return buffer.getvalue()

    def _sound(self, kind: str, seed: int) -> bytes:
        spoken = self._first_text(*_SPOKEN)
        if spoken:
            theme = f"{spoken}\0{self.request.input.get('voice')}"
            return music(theme, seed, spoken_seconds(spoken), kind)
        seconds = self.number("duration", "seconds", "seconds_total") or 4
        return music(self.text, seed, min(_LONGEST_SOUND, seconds), kind)

    def _size(self, default: Size) -> Size:
        """From width and height, a size such as 1024x768, an aspect ratio, or the source."""
        width, height = self.number("width"), self.number("height")
        if width and height:
            return _within(width, height)
        for name in ("size", "image_size", "resolution", "aspect_ratio"):
            if match := _SIZE.search(str(self.request.input.get(name))):
                width, height = int(match[1]), int(match[2])
                if max(width, height) < _MIN_SIDE:  # a ratio
                    scale = math.sqrt(default[0] * default[1] / (width * height))
                    width, height = round(width * scale), round(height * scale)
                return _within(width, height)
        return default if self.source is None else _within(*self.source.size)

    def _first_text(self, *names: str) -> str:
        """The first of these inputs that is a text, or a list of texts; addresses are none."""
        for value in map(self.request.input.get, names):
            texts = value if isinstance(value, list) else [value]
            words = [each for each in texts if isinstance(each, str) and not _ADDRESS.match(each)]
            if joined := "\n".join(words):
                return joined
        return ""


def _whole(value: object) -> int:
    try:
        return 0 if isinstance(value, bool) else round(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0


def _within(width: int, height: int) -> Size:
    """Sides of 64 to 1536 pixels in multiples of 8, in about the same ratio."""
    scale = min(1.0, _MAX_SIDE / max(width, height))
    across, down = (max(_MIN_SIDE, int(side * scale) // 8 * 8) for side in (width, height))
    return across, down
