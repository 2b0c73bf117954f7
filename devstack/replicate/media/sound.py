"""Sound: tones that a text and a seed decide on, as a file."""

import io
import math
from array import array
from typing import Any

import av

from devstack.replicate.media.request import chance

Samples = array[int]  # 16 bit, one channel
_MODES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))  # semitones of major and minor
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 5, 4), (0, 2, 3, 4))
_OVERTONES = ((1, 0.6), (2, 0.25), (3, 0.15))
_CODECS = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "ogg": "flac"}


def music(
    theme: str, seed: int, seconds: float, kind: str, *, rate: int = 32_000, channels: int = 2
) -> bytes:
    """Four broken chords over their roots, repeated for `seconds`, as wav, mp3, flac or ogg."""
    rng = chance(theme, seed)
    mode, root = rng.choice(_MODES), 110 * 2 ** (rng.randrange(12) / 12)
    length = round(rate * rng.uniform(0.24, 0.36))  # of a note
    figure = rng.choices((0, 2, 4, 7), k=4)
    loop = Samples("h")
    for degree in rng.choice(_PROGRESSIONS):
        bass = root * 2 ** (mode[degree] / 12)
        for step in figure:
            octaves, note = divmod(degree + step, len(mode))
            loop += _tone([bass, root * 2 ** (1 + octaves + mode[note] / 12)], length, rate)
    total = int(seconds * rate)
    return _encoded((loop * (total // len(loop) + 1))[:total], kind, rate, channels)


def spoken_seconds(text: str) -> float:
    """How long it takes to say a text, at most bark's own limit."""
    return min(13.5, max(1.0, 0.4 * len(text.split())))


def _tone(frequencies: list[float], length: int, rate: int) -> Samples:
    """All at once; it rises within 5 ms and dies away."""
    waves = [(math.tau * f * k / rate, gain) for f in frequencies for k, gain in _OVERTONES]
    rise, loudest = rate // 200, 27_000 / len(frequencies)
    sound = (sum(gain * math.sin(step * i) for step, gain in waves) for i in range(length))
    levels = (min(i / rise, 1.0) * (1 - i / length) for i in range(length))
    return Samples("h", [int(loudest * level * v) for level, v in zip(levels, sound, strict=True)])


def _encoded(samples: Samples, kind: str, rate: int, channels: int) -> bytes:
    buffer, layout = io.BytesIO(), "stereo" if channels == 2 else "mono"
    options = {"fflags": "bitexact"}  # else an Ogg file has a serial number by chance
    with av.open(buffer, "w", format=kind, options=options) as container:
        stream: Any = container.add_stream(_CODECS[kind], rate=rate, layout=layout)
        stream.bit_rate = 192_000  # of MP3
        for start in range(0, len(samples), rate):
            piece = samples[start : start + rate]
            frame = av.AudioFrame("s16", "mono", len(piece))
            frame.planes[0].update(piece.tobytes())
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
