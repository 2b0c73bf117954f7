"""The rhythm and melody of speech, not its words: a tone in the colour of its vowel a syllable."""

import io
import math
import re
import struct
import zipfile
from array import array
from hashlib import sha256

from devstack.replicate.media.request import chance
from devstack.replicate.media.sound import Samples, Sound, tone

RATE = 24_000
_LONGEST = 13.5  # seconds; bark's own limit
_FORMANTS = {"a": (730, 1090), "e": (530, 1840), "i": (270, 2290), "o": (570, 840), "u": (300, 870)}
_DIRECTION = re.compile(r"\[[^\]]*\]?")  # such as [laughs]
_SYLLABLE = re.compile(r"([aeiouy])[aeiouy]*|[^\W\d_a-z]|[a-z0-9]+(?![a-z])")


def speak(text: str, voice: str, seed: int) -> Sound:
    """Mono; the voice decides the pitch, the text the rest."""
    rng, sound = chance(text, voice, seed), Samples()
    low = 95 + sha256(voice.encode()).digest()[0] / 255 * 120
    for word in _DIRECTION.sub(" ", text.lower()).split():
        if len(sound) >= _LONGEST * RATE:
            break
        syllables = [match[1] or rng.choice("aeiou") for match in _SYLLABLE.finditer(word)]
        for index, vowel in enumerate(syllables, start=1):
            pitch = low * rng.uniform(0.92, 1.12)
            if index == len(syllables):
                pitch *= {"?": 1.25, ".": 0.8, "!": 0.85}.get(word[-1], 1.0)
            length = int(RATE * rng.uniform(0.11, 0.17))
            sound += tone(_vowel(vowel, round(pitch / 5) * 5), [pitch], length, RATE, fade=0.03)
        sound += [0.0] * int(RATE * (0.22 if word[-1] in ".,;:!?—" else 0.06))
    return Sound.of([sound[: int(_LONGEST * RATE)] or [0.0] * RATE], RATE)


def _vowel(letter: str, pitch: int) -> tuple[float, ...]:
    """The harmonics near the vowel's formants are the loudest."""
    bands = _FORMANTS.get(letter, _FORMANTS["i"])
    return tuple(
        0.15 / k + sum(math.exp(-(((k * pitch - band) / 160) ** 2)) for band in bands)
        for k in range(1, 20)
    )


def generation_npz(text: str, seed: int) -> bytes:
    """An .npz with the three arrays of a bark generation."""
    rng, steps, buffer = chance(text, seed, "npz"), 64 + len(text), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, rows, codes in (("semantic", 1, 10_000), ("coarse", 2, 1024), ("fine", 8, 1024)):
            values = array("q", [rng.randrange(codes) for _ in range(rows * steps)])
            content = _npy((steps,) if rows == 1 else (rows, steps), values)
            archive.writestr(zipfile.ZipInfo(f"{name}_prompt.npy"), content)
    return buffer.getvalue()


def _npy(shape: tuple[int, ...], values: array[int]) -> bytes:
    """NumPy's file format, version 1.0: little-endian int64."""
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}"
    text = header.encode() + b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values.tobytes()
