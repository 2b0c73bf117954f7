"""Music: a loop of four chords with bass and melody, composed from a text.

Plain Python is fast enough because a loop of some ten seconds is computed and then repeated.
"""

from array import array

from devstack.replicate.media.request import chance
from devstack.replicate.media.sound import Samples, Sound, blend, tone

_MODES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 5, 4), (0, 2, 3, 4), (0, 3, 1, 4))
_PAD = (1.0, 0.42, 0.26, 0.12, 0.07, 0.04)
_PLUCK = (1.0, 0.5, 0.0, 0.3, 0.0, 0.14, 0.08)
_BASS = (1.0, 0.6, 0.22, 0.1)


def compose(theme: str, seed: int, seconds: int, *, rate: int, channels: int) -> Sound:
    """Exactly `seconds` of music at `rate` samples a second; the same theme and seed, the same music."""
    rng = chance(theme, seed)
    mode, root = rng.choice(_MODES), 110 * 2 ** (rng.randint(0, 11) / 12)
    beat = round(rate * 60 / rng.randint(82, 124))
    figure = [rng.choice((0, 1, 2, 2, 3, 4, 5, None)) for _ in range(8)]
    tracks = [[0.0] * min(seconds * rate, beat * 16) for _ in range(channels)]

    def pitch(degree: int, octave: int) -> float:
        octaves, step = divmod(degree, len(mode))
        return float(root * 2 ** (octave + octaves + mode[step] / 12))

    def play(note: Samples, at: int, gain: float, pan: float = 0.5) -> None:
        """`pan` 0 is on the left, 1 on the right."""
        for track, share in zip(tracks, (1 - pan, pan) if channels == 2 else (0.5,), strict=True):
            blend(track, note, at, gain * share)

    for bar, degree in enumerate(rng.choice(_PROGRESSIONS)):
        start = bar * 4 * beat
        if start >= len(tracks[0]):
            break
        chord = [pitch(degree + step, 0) for step in (0, 2, 4, 6)]
        play(tone(_PAD, chord, 4 * beat, rate, fade=0.3), start, 0.14)
        bass = tone(_BASS, [pitch(degree, -1)], beat, rate, fade=0.01, decay=2.2)
        for place in (0, 1.5, 2, 3.5):
            play(bass, start + int(place * beat), 0.6)
        for eighth, step in enumerate(figure):
            if step is not None:
                frequency = pitch(degree + step * 2 - (7 if step > 3 else 0), 1)
                note = tone(_PLUCK, [frequency], beat * 3 // 4, rate, fade=0.004, decay=5)
                at = start + eighth * beat // 2
                play(note, at, 0.45, 0.35 + 0.15 * (eighth % 3))
                play(note, at + beat * 3 // 4, 0.12, 1 - eighth % 2)  # its echo
    loop, total = Sound.of(tracks, rate), seconds * rate * channels
    samples = (loop.samples * (total // len(loop.samples) + 1))[:total]
    _fade_out(samples, min(rate // 2 * channels, total))
    return Sound(samples, rate, channels)


def _fade_out(samples: array[int], length: int) -> None:
    for i in range(length):
        samples[-1 - i] = samples[-1 - i] * i // length
