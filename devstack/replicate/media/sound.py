"""Sampled sound and its containers."""

import io
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import av

_MP3_FRAME = 1152


@dataclass(frozen=True, slots=True)
class Sound:
    """16 bit samples, interleaved when there are two channels."""

    samples: array[int]
    rate: int
    channels: int

    def wav(self) -> bytes:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as writer:
            writer.setnchannels(self.channels)
            writer.setsampwidth(2)
            writer.setframerate(self.rate)
            writer.writeframes(self.samples.tobytes())
        return buffer.getvalue()

    def mp3(self, bit_rate: int = 192_000) -> bytes:
        buffer = io.BytesIO()
        layout = "stereo" if self.channels == 2 else "mono"
        data, step = self.samples.tobytes(), _MP3_FRAME * self.channels * 2
        with av.open(buffer, "w", format="mp3") as container:
            stream = container.add_stream("libmp3lame", rate=self.rate, layout=layout)
            stream.bit_rate = bit_rate
            # libmp3lame takes planar samples: the resampler rearranges ours.
            resampler = av.AudioResampler(format="s16p", layout=layout, rate=self.rate)
            for start in range(0, len(data), step):
                piece = data[start : start + step]
                frame = av.AudioFrame("s16", layout, len(piece) // (2 * self.channels))
                frame.planes[0].update(piece + bytes(frame.planes[0].buffer_size - len(piece)))
                frame.sample_rate = self.rate
                frame.pts = start // (2 * self.channels)
                for planar in resampler.resample(frame):
                    container.mux(stream.encode(planar))
            container.mux(stream.encode(None))
        return buffer.getvalue()


def quantise(channels: Sequence[Sequence[float]], rate: int, peak: float = 0.85) -> Sound:
    """Scale to the peak and interleave; the channels are of equal length."""
    loudest = max(1e-9, *(max(map(abs, channel), default=0.0) for channel in channels))
    factor = 32767 * peak / loudest
    samples = array("h", bytes(2 * len(channels) * len(channels[0])))
    for index, channel in enumerate(channels):
        samples[index :: len(channels)] = array("h", [int(value * factor) for value in channel])
    return Sound(samples, rate, len(channels))
