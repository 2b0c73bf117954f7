"""Music: a loop of four chords with bass, arpeggio and drums, composed from a text.

Plain Python is fast enough because every distinct note is computed once and then added in.
"""

import math
from array import array
from collections.abc import Sequence
from functools import cache
from operator import add
from random import Random

from devstack.replicate.media.chance import chance
from devstack.replicate.media.sound import Sound, quantise

Samples = list[float]
_TABLE = 2048
_MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 5, 4), (0, 2, 3, 4), (0, 3, 1, 4))
_PAD = (1.0, 0.42, 0.26, 0.12, 0.07, 0.04)
_PLUCK = (1.0, 0.5, 0.0, 0.3, 0.0, 0.14, 0.08)
_BASS = (1.0, 0.6, 0.22, 0.1)


def compose(theme: str, seed: int, seconds: int, *, rate: int, channels: int) -> Sound:
    """Exactly `seconds` of music at `rate` samples a second; the same theme and seed, the same music."""
    song = _Song(chance(theme, seed), rate)
    left, right = song.loop(min(seconds, 20) * rate)
    tracks = (
        [left, right]
        if channels == 2
        else [[(a + b) / 2 for a, b in zip(left, right, strict=True)]]
    )
    loop, total = quantise(tracks, rate), seconds * rate * channels
    samples = (loop.samples * (total // len(loop.samples) + 1))[:total]
    _fade(samples, channels, rate)
    return Sound(samples, rate, channels)


class _Song:
    """Key, tempo, chords and patterns, all drawn from one random source."""

    def __init__(self, rng: Random, rate: int) -> None:
        self._rng = rng
        self._rate = rate
        self._scale = _MODES[rng.choice(sorted(_MODES))]
        self._root = rng.randint(45, 56)
        self._beat = round(rate * 60 / rng.randint(82, 124))
        self._chords = rng.choice(_PROGRESSIONS)
        self._figure = [rng.choice((0, 1, 2, 2, 3, 4, 5)) for _ in range(8)]
        self._rests = {rng.randrange(1, 8) for _ in range(rng.randint(1, 3))}
        self._drums = rng.random() < 0.8

    def loop(self, longest: int) -> tuple[Samples, Samples]:
        """Left and right of the four bars, cut at `longest` samples."""
        bar = self._beat * 4
        length = min(longest, bar * 4)
        left, right = [0.0] * length, [0.0] * length
        for index, degree in enumerate(self._chords):
            start = bar * index
            if start < length:
                self._bar(left, right, start, degree)
        return left, right

    def _bar(self, left: Samples, right: Samples, start: int, degree: int) -> None:
        bar, beat = self._beat * 4, self._beat
        pad = _chord([self._frequency(degree + step, 12) for step in (0, 2, 4, 6)], bar, self._rate)
        _mix(left, pad, start)
        _mix(right, pad, start + self._rate // 90)
        bass = _tone(_BASS, self._frequency(degree, -12), beat, self._rate, 0.01, 2.2)
        loud = _scaled(bass, 0.34)
        for place in (0.0, 1.5, 2.0, 3.5):
            for side in (left, right):
                _mix(side, loud, start + int(place * beat))
        self._melody(left, right, start, degree)
        if self._drums:
            self._rhythm(left, right, start)

    def _melody(self, left: Samples, right: Samples, start: int, degree: int) -> None:
        """Eighths over the chord, each with an echo from either side."""
        eighth = self._beat // 2
        for index, step in enumerate(self._figure):
            if index in self._rests:
                continue
            pitch = self._frequency(degree + step * 2 - (7 if step > 3 else 0), 24)
            note = _tone(_PLUCK, pitch, self._beat * 3 // 4, self._rate, 0.004, 5.0)
            at, pan = start + eighth * index, 0.35 + 0.3 * (index % 3) / 2
            _mix(left, _scaled(note, 0.26 * (1 - pan)), at)
            _mix(right, _scaled(note, 0.26 * pan), at)
            _mix(right, _scaled(note, 0.07), at + eighth * 3 // 2)
            _mix(left, _scaled(note, 0.03), at + eighth * 3)

    def _rhythm(self, left: Samples, right: Samples, start: int) -> None:
        kick = _scaled(_kick(self._rate), 0.6)
        hat, snare = _noise(self._rate, 0.05, 90), _scaled(_noise(self._rate, 0.16, 24), 0.1)
        soft, softer = _scaled(hat, 0.06), _scaled(hat, 0.035)
        for beat in range(4):
            at = start + beat * self._beat
            for side in (left, right):
                _mix(side, snare if beat % 2 else kick, at)
                _mix(side, soft, at + self._beat // 2)
                _mix(side, softer, at)

    def _frequency(self, degree: int, shift: int) -> float:
        octave, step = divmod(degree, len(self._scale))
        note = self._root + shift + 12 * octave + self._scale[step]
        return float(440 * 2 ** ((note - 69) / 12))


def _mix(track: Samples, sound: Samples, at: int) -> None:
    end = min(len(track), at + len(sound))
    if at < end:
        track[at:end] = map(add, track[at:end], sound)


def _scaled(sound: Samples, gain: float) -> Samples:
    return [value * gain for value in sound]


def _chord(frequencies: Sequence[float], length: int, rate: int) -> Samples:
    """Four long notes at once, swelling and dying away."""
    table, mask = _scaled(list(_wave(_PAD)), 0.1), _TABLE - 1
    first, second, third, fourth = (frequency * _TABLE / rate for frequency in frequencies)
    chord = [
        table[int(i * first) & mask]
        + table[int(i * second) & mask]
        + table[int(i * third) & mask]
        + table[int(i * fourth) & mask]
        for i in range(length)
    ]
    _soften(chord, int(0.3 * rate))
    return chord


@cache
def _wave(harmonics: tuple[float, ...]) -> tuple[float, ...]:
    """One period."""
    return tuple(
        sum(
            weight * math.sin(math.tau * k * i / _TABLE)
            for k, weight in enumerate(harmonics, start=1)
        )
        for i in range(_TABLE)
    )


def _tone(
    harmonics: tuple[float, ...],
    frequency: float,
    length: int,
    rate: int,
    attack: float,
    decay: float,
) -> Samples:
    """A note of `length` samples; `attack` in seconds, `decay` in e-folds a second."""
    table, step, mask = _wave(harmonics), frequency * _TABLE / rate, _TABLE - 1
    fall, rise = math.exp(-decay / rate), max(1, int(attack * rate))
    tone, level = [table[int(i * step) & mask] for i in range(length)], 1.0
    if decay:
        for i in range(0, length, 64):
            tone[i : i + 64] = [value * level for value in tone[i : i + 64]]
            level *= fall**64
    _soften(tone, rise)
    return tone


def _soften(tone: Samples, length: int) -> None:
    """Fade in and out over `length` samples."""
    length = min(length, len(tone) // 2)
    for i in range(length):
        tone[i] *= i / length
        tone[-1 - i] *= i / length


@cache
def _kick(rate: int) -> Samples:
    """A sine that falls from 150 to 45 Hz."""
    length, phase, sound = int(rate * 0.22), 0.0, []
    for i in range(length):
        phase += math.tau * (45 + 105 * math.exp(-i / rate * 28)) / rate
        sound.append(math.sin(phase) * math.exp(-i / rate * 14))
    return sound


@cache
def _noise(rate: int, seconds: float, decay: float) -> Samples:
    rng, length = chance(decay), int(rate * seconds)
    return [rng.uniform(-1, 1) * math.exp(-i / rate * decay) for i in range(length)]


def _fade(samples: array[int], channels: int, rate: int) -> None:
    """In over 20 ms, out over the last half second."""
    frames = len(samples) // channels
    for length, at_end in ((rate // 50, False), (min(rate // 2, frames), True)):
        for i in range(length):
            frame = frames - 1 - i if at_end else i
            for channel in range(channels):
                place = frame * channels + channel
                samples[place] = samples[place] * i // length
