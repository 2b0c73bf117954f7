"""Which model makes what: from a model's input to its output files, or to its failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Files = dict[str, bytes]

NSFW = "NSFW content detected. Try running it again, or try a different prompt."
ALL_NSFW = (
    "All generated images contained NSFW content. Try running it again with a different prompt."
)
SENSITIVE = (
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
)
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
    prompt: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", str(self.input.get("prompt") or ""))

    @property
    def indecent(self) -> bool:
        """A prompt that says so trips the safety checker, unless it is switched off."""
        return "nsfw" in self.prompt.lower() and not self.input.get("disable_safety_checker")

    def dropped(self, outputs: int) -> frozenset[int]:
        """The outputs the safety checker drops: every second one first, so that names have gaps."""
        if self.indecent or self.flagged == -1:
            return frozenset(range(outputs))
        order = [*range(1, outputs, 2), *range(0, outputs, 2)]
        return frozenset(order[: self.flagged or 0])


def produce(request: Request) -> Production:
    """Make the output files. Raises ModelFailed."""
    return _producers()[request.model](request)


def _producers() -> Mapping[str, Callable[[Request], Production]]:
    # Here, because these modules load Pillow and FFmpeg and import this one.
    from devstack.replicate.media import models  # noqa: PLC0415

    return models.PRODUCERS
