"""The loudness of a sound over time, in little memory."""

from array import array

import av

_RATE = 8000  # samples per second for the waveform
_WINDOW = 160  # samples behind one peak: 20 ms


class Sound:
    """Takes decoded frames, which may change their form on the way; `seconds` of them so far."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._resampler: av.AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None
        self._samples = array("h")
        self._peaks: list[float] = []

    def add(self, frame: av.AudioFrame) -> None:
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if self._resampler is None or form != self._form:
            self._drain()
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
            self._form = form
        self.seconds += frame.samples / frame.sample_rate
        self._take(self._resampler.resample(frame))

    def peaks(self) -> list[float]:
        """Amplitudes (0 to 1) every 20 ms. To be asked for once, at the end."""
        self._drain()
        if self._samples:
            self._peaks.append(_peak(self._samples))
        return self._peaks

    def _drain(self) -> None:
        if self._resampler is not None:
            self._take(self._resampler.resample(None))
            self._resampler = None

    def _take(self, frames: list[av.AudioFrame]) -> None:
        samples = self._samples
        for frame in frames:
            samples.frombytes(bytes(frame.planes[0])[: frame.samples * samples.itemsize])
        whole = len(samples) - len(samples) % _WINDOW
        self._peaks += [_peak(samples[at : at + _WINDOW]) for at in range(0, whole, _WINDOW)]
        del samples[:whole]


def _peak(samples: "array[int]") -> float:
    highest, lowest = max(samples), min(samples)
    return max(highest, -lowest) / 32768
