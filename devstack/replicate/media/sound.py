"""Sampled sound: tones from wave tables, and the containers it goes out in."""

import io
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add
from typing import Any

import av

Samples = list[float]
_TABLE = 2048
_CODECS = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "ogg": "libvorbis"}


@dataclass(frozen=True, slots=True)
class Sound:
    """16 bit samples, interleaved when there are two channels."""

    samples: array[int]
    rate: int
    channels: int

    @classmethod
    def of(cls, tracks: Sequence[Samples], rate: int) -> "Sound":
        """One track a channel, of equal length; the loudest sample becomes 85 % of the most."""
        factor = 32767 * 0.85 / max(1e-9, *(max(map(abs, track), default=0.0) for track in tracks))
        samples = array("h", bytes(2 * len(tracks) * len(tracks[0])))
        for index, track in enumerate(tracks):
            samples[index :: len(tracks)] = array("h", [int(value * factor) for value in track])
        return cls(samples, rate, len(tracks))

    def encoded(self, kind: str) -> bytes:
        """As a file; `kind` is wav, mp3, flac or ogg."""
        buffer, layout = io.BytesIO(), "stereo" if self.channels == 2 else "mono"
        codec = _CODECS[kind]
        with av.open(buffer, "w", format=kind) as container:
            stream: Any = container.add_stream(codec, rate=self.rate, layout=layout)
            if kind == "mp3":
                stream.bit_rate = 192_000
            for start in range(0, len(self.samples), self.rate * self.channels):
                piece = self.samples[start : start + self.rate * self.channels]
                frame = av.AudioFrame("s16", layout, len(piece) // self.channels)
                frame.planes[0].update(piece.tobytes())
                frame.sample_rate, frame.pts = self.rate, start // self.channels
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return buffer.getvalue()


def tone(
    harmonics: tuple[float, ...],
    frequencies: Sequence[float],
    length: int,
    rate: int,
    *,
    fade: float,
    decay: float = 0.0,
) -> Samples:
    """All frequencies at once; `length` in samples, `fade` (in and out) in seconds, `decay` a second."""
    table, mask = _period(harmonics), _TABLE - 1
    samples: Samples = []
    for step in (frequency * _TABLE / rate for frequency in frequencies):
        voice = [table[int(i * step) & mask] for i in range(length)]
        samples = list(map(add, samples, voice)) if samples else voice
    for i in range(0, length if decay else 0, 64):
        level = math.exp(-decay * i / rate)
        samples[i : i + 64] = [value * level for value in samples[i : i + 64]]
    edge = min(max(1, int(fade * rate)), length // 2)
    for i in range(edge):
        samples[i] *= i / edge
        samples[-1 - i] *= i / edge
    return samples


def blend(track: Samples, sound: Samples, at: int, gain: float) -> None:
    """Add a sound to a track; what reaches beyond its end is lost."""
    end = min(len(track), at + len(sound))
    if at < end:
        track[at:end] = map(add, track[at:end], [value * gain for value in sound])


@lru_cache(maxsize=64)
def _period(harmonics: tuple[float, ...]) -> Samples:
    waves = [(math.tau * k / _TABLE, weight) for k, weight in enumerate(harmonics, start=1)]
    return [sum(weight * math.sin(step * i) for step, weight in waves) for i in range(_TABLE)]
