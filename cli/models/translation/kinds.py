"""Which kind of media something is: by a file's name, by an option's value, by the words about it."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_ENDINGS = {
    "image": "png jpg jpeg webp gif avif heic heif bmp tif tiff svg",
    "video": "mp4 webm mov mkv avi m4v",
    "audio": "wav mp3 flac ogg opus m4a aac",
    "text": "txt srt vtt md",
    "file": "glb gltf obj ply stl usdz fbx zip tar gz npz npy json csv pdf safetensors pth ckpt bin",
}
_BY_ENDING = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_WORDS = {
    "image": "image images img photo photos picture pictures mask masks portrait face faces sketch frame",
    "video": "video videos movie movies clip animation footage",
    "audio": "audio music voice song songs speech sound sounds singing melody recording vocal vocals",
    "file": "mesh glb gltf zip archive",
}
_BY_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}
INPUT_KINDS = ("image", "video", "audio")


def of_file(address: object) -> str | None:
    """By the ending of a file's name or address, or by a data URL's type."""
    if not isinstance(address, str):
        return None
    if found := re.match(r"data:(image|video|audio)/", address[:20]):
        return found[1]
    try:
        path = urlsplit(address).path
    except ValueError:
        return None
    return _BY_ENDING.get(path.rsplit(".", 1)[-1].lower()) if "." in path else None


def of_ending(ending: object) -> str | None:
    """By a file format, such as a value of `output_format`."""
    return _BY_ENDING.get(ending.lower().lstrip(".")) if isinstance(ending, str) else None


def of_words(*texts: str) -> str | None:
    """The one kind that the first text with any of them speaks of; None where it speaks of several."""
    for text in texts:
        found = {_BY_WORD[word] for word in _split(text) if word in _BY_WORD}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def is_address(value: object) -> bool:
    return isinstance(value, str) and value[:8].lower().startswith(("https://", "http://", "data:"))


def addresses(value: object) -> Iterable[str]:
    """Every address of a file in a value, at any depth."""
    pending = [value]
    while pending:
        each = pending.pop(0)
        if isinstance(each, dict):
            pending += each.values()
        elif isinstance(each, list):
            pending += each
        elif isinstance(each, str) and is_address(each):
            yield each


def _split(text: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
