"""What a model is given, and what it gives: an output with files in it, or its failure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Files = dict[str, bytes]

CONTENT_TYPES: Mapping[str, str] = {
    "webp": "image/webp",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "mp4": "video/mp4",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "json": "application/json",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "tar": "application/x-tar",
    "glb": "model/gltf-binary",
}


class ModelFailed(Exception):
    """The prediction fails; the text is its `error`."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One output file."""

    name: str
    content: bytes

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(self.name.rpartition(".")[2], "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Production:
    """`output` is what the API shows, with a MediaFile wherever it will show an address."""

    output: Any
    logs: str = ""

    @property
    def files(self) -> list[MediaFile]:
        return list(_files(self.output))

    def with_addresses(self, address: Callable[[MediaFile], str]) -> Any:
        """The output with each file replaced, in the order of `files`."""
        return _replaced(self.output, address)


@dataclass(frozen=True, slots=True)
class Request:
    """`input` has its defaults filled in, `files` the bytes of the inputs that are addresses.

    Those of a list are named by their place in it, such as `images.0`. `flagged`: how many outputs
    the safety checker drops by order; -1 all, None none by order.
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


def _files(output: Any) -> Iterator[MediaFile]:
    if isinstance(output, MediaFile):
        yield output
    elif isinstance(output, dict | list):
        for item in output.values() if isinstance(output, dict) else output:
            yield from _files(item)


def _replaced(output: Any, address: Callable[[MediaFile], str]) -> Any:
    if isinstance(output, MediaFile):
        return address(output)
    if isinstance(output, dict):
        return {key: _replaced(item, address) for key, item in output.items()}
    return [_replaced(item, address) for item in output] if isinstance(output, list) else output
