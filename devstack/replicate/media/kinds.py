"""Which kind of file an output is: by its example, the format asked for, or the words about it."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

# Extension and content type; the words that tell it of an output or of a whole model; words that
# tell it of an output alone: "weights" in a model's description says nothing about its output.
# The first kind that fits wins.
_KINDS = (
    ("srt", "application/x-subrip", "srt subtitle", ""),
    ("pdf", "application/pdf", "pdf", ""),
    ("zip", "application/zip", "zip archive", ""),
    ("glb", "model/gltf-binary", "glb gltf mesh 3d", ""),
    ("svg", "image/svg+xml", "svg vector", ""),
    ("gif", "image/gif", "gif", ""),
    ("mp4", "video/mp4", "mp4 video film movie animation animate clip", ""),
    ("vtt", "text/vtt", "", "vtt captions"),
    ("json", "application/json", "", "json report metadata"),
    ("csv", "text/csv", "", "csv table"),
    ("md", "text/markdown", "", "markdown"),
    ("txt", "text/plain", "", "txt text transcript log"),
    ("npz", "application/octet-stream", "", "npz npy embedding latents"),
    ("tar", "application/x-tar", "", "tar weights lora checkpoint"),
    ("ply", "application/octet-stream", "", "ply gaussian splat points"),
    (
        "wav",
        "audio/wav",
        "wav mp3 audio speech voice music song sound tts",
        "vocals drum bass stem",
    ),
    ("png", "image/png", "png image picture photo drawing", "mask depth normal texture frame"),
    ("jpg", "image/jpeg", "", ""),
    ("jpeg", "image/jpeg", "", ""),
    ("webp", "image/webp", "", ""),
    ("mp3", "audio/mpeg", "", ""),
    ("flac", "audio/flac", "", ""),
    ("ogg", "audio/ogg", "", ""),
)
MAKEABLE: Mapping[str, str] = {kind: content_type for kind, content_type, *_ in _KINDS}
_FORMAT_INPUTS = ("output_format", "format", "audio_format", "video_format", "output_type")
_FILM_INPUTS = frozenset({"fps", "num_frames", "frames_per_second", "video_length"})


def file_kind(place: str, model: str, example: object, asked: Mapping[str, Any]) -> str:
    """The extension of an output file.

    `place` and `model` are words about this output and about the model, `example` the address that
    a finished prediction had in its place.
    """
    by_words = _told(place, 2) or _told(place, 3) or _told(model, 2)
    otherwise = "mp4" if _FILM_INPUTS & asked.keys() else "png"
    guess = extension(example) or by_words or otherwise
    values = (str(asked.get(name, "")).lower() for name in _FORMAT_INPUTS)
    wanted = next((value for value in values if value in MAKEABLE), guess)
    return wanted if family(wanted) == family(guess) or {wanted, guess} == {"mp4", "gif"} else guess


def family(kind: str) -> str:
    """Kinds of one family take each other's place: image, video, audio, text; others are alone."""
    major = MAKEABLE[kind].partition("/")[0]
    return kind if major == "application" else major


def extension(address: object) -> str | None:
    """The extension in an address, if a file of that kind can be made."""
    if not isinstance(address, str):
        return None
    suffix = PurePosixPath(urlsplit(address).path).suffix.lower().removeprefix(".")
    return suffix if suffix in MAKEABLE else None


def _told(words: str, column: int) -> str | None:
    said = set(re.findall(r"[a-z0-9]+", words.lower()))
    said |= {word.removesuffix("s") for word in said}
    return next((kind[0] for kind in _KINDS if said & set(kind[column].split())), None)
