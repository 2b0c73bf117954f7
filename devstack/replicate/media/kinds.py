"""Which kind of file an output is: by its example, the format asked for, or the words about it."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

# An extension and the words that tell it; the first that fits wins. Only words of the first group
# tell it of a whole model: "weights" in its description says nothing about its output.
_OF_A_MODEL = (
    ("srt", "srt subtitle subtitles"),
    ("pdf", "pdf"),
    ("zip", "zip archive"),
    ("glb", "glb gltf mesh 3d"),
    ("svg", "svg vector vectors"),
    ("gif", "gif"),
    ("mp4", "mp4 video videos film films movie animation animate clip clips"),
    ("wav", "wav mp3 audio speech voice voices music song sound sounds tts aloud narration"),
    ("png", "png image images picture pictures photo photos drawing"),
)
_OF_A_PLACE = (
    *_OF_A_MODEL,
    ("vtt", "vtt captions"),
    ("json", "json report metadata"),
    ("csv", "csv table"),
    ("md", "markdown"),
    ("txt", "txt text transcript log"),
    ("npz", "npz npy embedding latents"),
    ("tar", "tar weights lora checkpoint"),
    ("ply", "ply gaussian splat points"),
    ("wav", "vocals drums bass melody stem instrumental accompaniment"),
    ("png", "mask masks depth normal normals texture textures frame frames annotated"),
)
_FORMAT_INPUTS = ("output_format", "format", "audio_format", "video_format", "output_type")
_FILM_INPUTS = frozenset({"fps", "num_frames", "frames_per_second", "video_length"})
_FAMILIES = (
    frozenset({"png", "jpg", "jpeg", "webp", "gif", "svg"}),
    frozenset({"mp4", "gif"}),
    frozenset({"wav", "mp3", "flac", "ogg"}),
)
MAKEABLE = frozenset({kind for kind, _words in _OF_A_PLACE}).union(*_FAMILIES)
_DEFAULT = "png"


def file_kind(place: str, model: str, example: object, asked: Mapping[str, Any]) -> str:
    """The extension of an output file.

    `place` and `model` are words about this output and about the model, `example` the address that
    a finished prediction had in its place.
    """
    guess = extension(example) or _told(_OF_A_PLACE, place) or _told(_OF_A_MODEL, model)
    if guess is None:
        guess = "mp4" if _FILM_INPUTS & asked.keys() else _DEFAULT
    wanted = _wanted(asked)
    if wanted is not None and any({guess, wanted} <= family for family in _FAMILIES):
        return wanted
    return guess


def extension(address: object) -> str | None:
    """The extension in an address, if a file of that kind can be made."""
    if not isinstance(address, str):
        return None
    suffix = PurePosixPath(urlsplit(address).path).suffix.lower().removeprefix(".")
    return suffix if suffix in MAKEABLE else None


def _wanted(asked: Mapping[str, Any]) -> str | None:
    values = (str(asked.get(name, "")).lower() for name in _FORMAT_INPUTS)
    return next((value for value in values if value in MAKEABLE), None)


def _told(table: tuple[tuple[str, str], ...], words: str) -> str | None:
    said = set(re.findall(r"[a-z0-9]+", words.lower()))
    return next((kind for kind, names in table if said & set(names.split())), None)
