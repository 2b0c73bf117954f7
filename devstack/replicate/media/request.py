"""What a model is given, and what it gives: files, or its failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Files = dict[str, bytes]

CONTENT_TYPES: Mapping[str, str] = {
    "webp": "image/webp",
    "png": "image/png",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "npz": "application/octet-stream",
}


class ModelFailed(Exception):
    """The prediction fails; the text is its `error`."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One output file; `key` is its name in an output that is an object."""

    name: str
    content: bytes
    key: str = ""

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.name.rpartition(".")[2]]


@dataclass(frozen=True, slots=True)
class Production:
    files: list[MediaFile]
    logs: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """`input` has its defaults filled in, `files` the bytes of the inputs that are addresses.

    `flagged`: how many outputs the safety checker drops by order; -1 all, None none by order.
    """

    model: str
    input: Mapping[str, Any]
    files: Files
    seed: int
    flagged: int | None = None

    @property
    def prompt(self) -> str:
        return str(self.input.get("prompt") or "")

    def dropped(self, outputs: int) -> frozenset[int]:
        """The outputs the safety checker drops: every second one first, so that names have gaps. A
        prompt that says nsfw trips it for all, unless it is switched off."""
        nsfw = "nsfw" in self.prompt.lower() and not self.input.get("disable_safety_checker")
        if nsfw or self.flagged == -1:
            return frozenset(range(outputs))
        order = [*range(1, outputs, 2), *range(0, outputs, 2)]
        return frozenset(order[: self.flagged or 0])


def chance(*parts: object) -> Random:
    """Random numbers that are the same for the same parts, on every machine."""
    text = "\0".join(map(str, parts)).encode(errors="surrogatepass")
    return Random(text)  # noqa: S311  # nosec B311 # pictures and tunes, no secrets
