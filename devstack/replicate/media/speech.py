"""Something like speech: vowels by their formants, consonants by hum and hiss, read off a text."""

import io
import math
import struct
import zipfile
from array import array
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from random import Random

from devstack.replicate.media.chance import chance
from devstack.replicate.media.sound import Sound, quantise

RATE = 24_000
_LONGEST = 13.5  # seconds; bark's own limit
_TABLE = 1024
_FORMANTS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "m": (250, 900, 2200),
}
_ALIASES = {"y": "i", "w": "u", "n": "m", "l": "o", "r": "e"}
_HISSING = frozenset("sfhxzckptq")


def speak(text: str, voice: str, seed: int) -> Sound:
    """Mono; the voice decides the pitch, the text the rest."""
    rng = chance(text, voice, seed)
    pitch = 95 + sha256(voice.encode()).digest()[0] / 255 * 120
    sound: list[float] = []
    for letter, following in pairwise(_spoken(text) + " "):
        if len(sound) >= _LONGEST * RATE:
            break
        sound += _sounded(letter, following, pitch, rng)
    return quantise([sound[: int(_LONGEST * RATE)] or [0.0] * RATE], RATE, 0.8)


def _spoken(text: str) -> str:
    """Without stage directions such as [laughs]."""
    kept, depth = [], 0
    for letter in text.lower():
        depth += letter == "["
        if depth == 0:
            kept.append(letter)
        depth -= letter == "]" and depth > 0
    return "".join(kept)


def _sounded(letter: str, following: str, pitch: float, rng: Random) -> list[float]:
    if not letter.isalpha():
        return [0.0] * int(RATE * (0.22 if letter in ".,;:!?—" else 0.06))
    sound = _ALIASES.get(letter, letter)
    if letter in _HISSING:
        return _hiss(rng, 0.055)
    vowel = sound in "aeiou"
    if sound not in _FORMANTS:
        sound = "m"
    seconds = 0.1 if vowel else 0.05
    fall = -0.25 if following in ".!?" else 0.06
    return _voiced(sound, pitch * rng.uniform(0.92, 1.1), seconds, fall, 1.0 if vowel else 0.5)


def _voiced(sound: str, pitch: float, seconds: float, glide: float, loudness: float) -> list[float]:
    table, length = _period(sound, round(pitch / 5) * 5), int(RATE * seconds)
    step = pitch * _TABLE / RATE
    bend = step * glide / (2 * length)
    return [
        table[int(i * step + i * i * bend) % _TABLE]
        * loudness
        * math.sin(math.pi * i / length) ** 0.5
        for i in range(length)
    ]


def _hiss(rng: Random, seconds: float) -> list[float]:
    length = int(RATE * seconds)
    return [rng.uniform(-0.16, 0.16) * math.sin(math.pi * i / length) for i in range(length)]


@lru_cache(maxsize=512)
def _period(sound: str, pitch: int) -> tuple[float, ...]:
    """One period of the voice, its harmonics shaped by the formants."""
    weights = []
    for k in range(1, min(30, int(4000 / pitch))):
        bands = enumerate(_FORMANTS[sound])
        shape = sum(math.exp(-(((k * pitch - f) / 160) ** 2)) / (1 + band) for band, f in bands)
        weights.append((k, shape + 0.15 / k))
    return tuple(
        sum(weight * math.sin(math.tau * k * i / _TABLE) for k, weight in weights) / 3
        for i in range(_TABLE)
    )


def generation_npz(text: str, seed: int) -> bytes:
    """An .npz with the three arrays of a bark generation: semantic, coarse (2 rows), fine (8 rows)."""
    rng, steps = chance(text, seed, "npz"), 64 + len(text)
    arrays = {
        "semantic_prompt": ((steps,), [rng.randrange(10_000) for _ in range(steps)]),
        "coarse_prompt": ((2, steps), [rng.randrange(1024) for _ in range(2 * steps)]),
        "fine_prompt": ((8, steps), [rng.randrange(1024) for _ in range(8 * steps)]),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, (shape, values) in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), _npy(shape, values))
    return buffer.getvalue()


def _npy(shape: tuple[int, ...], values: list[int]) -> bytes:
    """NumPy's file format, version 1.0: little-endian int64."""
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}"
    padding = -(10 + len(header) + 1) % 64
    text = header.encode() + b" " * padding + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array("q", values).tobytes()
